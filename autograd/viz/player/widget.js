// What a notebook runs to show the widget, after the page's own script.

function render({ model, el }) {
  el.innerHTML = model.get("_markup");
  const sync = {
    send(state) {
      for (const [name, told] of Object.entries(state)) model.set(name, told);
      model.save_changes();
    },
  };
  play(el.querySelector(".autograd-player"), graph, rule, sync);
  const receive = () => sync.receive(model.get("numbers"));
  receive();
  model.on("change:numbers", receive);
  return () => model.off("change:numbers", receive);
}
export default { render };
