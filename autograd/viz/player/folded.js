// The numbers within a folded card.

function show(c) {
  if (open !== null) made[open].querySelector(".open")?.setAttribute("aria-expanded", "false");
  const before = open;
  open = c;
  inside.hidden = c === null;
  if (c === null) {
    inside.replaceChildren();
    if (before !== null) made[before].querySelector(".open").focus({ preventScroll: true });
    return;
  }
  made[c].querySelector(".open").setAttribute("aria-expanded", "true");
  const fields = cards[c].values.filter((i) => isLeaf.has(i)).map((i) =>
    element("div", { class: "inner", "data-node": i },
      element("span", { class: "name" }, name(i).replace(`${cardName(c)}.`, "")),
      field(i), element("span", { class: "total" })),
  );
  const heading = element("p", { class: "title" }, told(labels.inside, { name: cardName(c) }));
  const close = button(labels.close, () => show(null), { class: "quiet" });
  inside.replaceChildren(element("div", { class: "head" }, heading, close), element("div", { class: "inners" }, ...fields));
  render();
}

root.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && open !== null) show(null);
});
