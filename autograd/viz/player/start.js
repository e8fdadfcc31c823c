// Start, and adapting to the size of the page.

function restart() {
  recorded();
  shifts = new Map();
  steps = 0;
  hadDerivatives = false;
  history = [[0, values[output]]];
  clear();
  greet();
  render();
}

root.querySelector("img").replaceWith(place);
root.querySelector(".still").remove();
recorded();
history = [[0, values[output]]];
clear();
greet();
let width = 0, height = 0;
function adapt() {
  if (!stage.clientWidth) return;
  const hasChanged = place.clientWidth !== width || innerHeight !== height;
  [width, height] = [place.clientWidth, innerHeight];
  if (hasChanged) talk.style.minHeight = "";
  const before = layout;
  lay();
  fit(isWhole);
  render();
  if (layout !== before && !active) center(cardOf[output]);
}
if (new URLSearchParams(location.search).has("present")) present(true);
adapt(); // at once, for a button may be pressed before the observer is heard
const observer = new ResizeObserver(() => {
  if (place.clientWidth !== width) adapt();
});
observer.observe(place);
addEventListener("resize", () => {
  if (innerHeight !== height) adapt();
});
paper.addEventListener("change", adapt);
