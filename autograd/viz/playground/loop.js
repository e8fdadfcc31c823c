// Drawing, and the loop: a budget of 9 ms a frame, no more steps than the pace asks for.

let running = false, owed = 0, last = 0, frames = 0;
function draw() {
  const began = performance.now();
  note();
  look(running);
  if (hasPlane) drawPlane(plane, unit);
  if (hasFit) drawFit(fitted);
  if (running && performance.now() - began > 8) grid = 40;
  const axis = drawRecord(lossChart, "loss") ? ", on a logarithmic axis" : "";
  lossSays.textContent = `The loss${axis}.${held.length ? " Dashed: on the held-out examples." : ""}` +
    (isPenalised() ? " Thin: the objective." : "");
  if (told.counts) drawRecord(shareChart, "share");
  if (hasNetwork && !(running && frames % 3)) drawNetwork(wiring, unit, weight);
  planeSays.classList.toggle("aside", unit !== null);
  unitSays.textContent = unit === null ? "" : `The output of ${unitName(unit)}: blue is positive, orange negative.`;
  if (running && frames % 6) return;
  drawMap(map, lookedAt());
  sentence();
  details();
  // Its many losses are computed as often as they take less than a tenth of the time.
  if (!running || performance.now() - costAt > 10 * costTook) drawCost(cost, lookedAt());
}
function settled() { if (!running) draw(); }
function frame(now) {
  if (!running) return;
  owed += Math.max(0, now - last) / 1000 * PACES[pace];
  last = Math.max(last, now); // a frame's time may lie before the clock was set
  const end = performance.now() + 9;
  while (owed >= 1 && performance.now() < end) {
    if (!step()) { pause(); return; }
    owed--;
  }
  if (owed > 50) owed = 0;
  frames++;
  draw();
  requestAnimationFrame(frame);
}
function play() {
  trouble = "";
  owed = 1;
  last = performance.now();
  setRunning(true);
  requestAnimationFrame(frame);
}
function pause() {
  setRunning(false);
  draw();
}
function setRunning(now) {
  running = now;
  train.textContent = running ? "Pause" : "Train";
  train.classList.toggle("running", running);
  say.setAttribute("aria-live", running ? "off" : "polite");
}
function save() {
  const address = URL.createObjectURL(new Blob([json()], { type: "application/json" }));
  element("a", { href: address, download: "model.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
function redraw() {
  readColors();
  legend.querySelectorAll("i").forEach((sign, k) => { sign.style.color = css(hue(k)); });
  draw();
}
for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", redraw, { signal: closing.signal });
const observers = [new MutationObserver(redraw), new ResizeObserver(() => { if (!running) redraw(); })];
observers[0].observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
observers[1].observe(root);
document.addEventListener("visibilitychange", () => { last = performance.now(); owed = 0; }, { signal: closing.signal });
choose(kept.chosen ?? 0);
if (kept.rate) coefficients[0] = kept.rate;
restart();
offerRates();
redraw();
root.playground = { step, json, numbers, get losses() { return losses; }, get steps() { return t; } };
if (kept.isRunning) play();

// Ends all of this; returns the settings, to open another model with.
function close() {
  const settings = { chosen, rate: coefficients[0], batch: batch === told.learned ? Infinity : batch, pace, isRunning: running };
  running = false;
  closing.abort();
  observers.forEach(observer => observer.disconnect());
  work.remove();
  return settings;
}
// Sets a number that is not trained, such as the strength of the penalty, and goes on.
function assign(place, number) {
  numbers[place] = start[place] = number;
  known = {};
  settled();
}
return { close, assign, placeAt };
