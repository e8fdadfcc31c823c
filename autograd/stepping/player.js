// Plays the steps of a forward and a backward pass on the picture of the graph.
//
// The page holds, for each player, the final picture as an image and the steps as JSON. All text
// from a graph reaches the page as text, by textContent or as an attribute, never as markup.

(() => {
  "use strict";

  const SECONDS_PER_STEP = 1.8;
  const READABLE_SCALE = 0.75; // a picture that would have to shrink below it is scrolled instead

  const ICONS = {
    First: "M5 5h2v14H5zM17.4 6.4 16 5l-7 7 7 7 1.4-1.4-5.6-5.6z",
    Previous: "M15.4 6.4 14 5l-7 7 7 7 1.4-1.4L9.8 12z",
    Play: "M7 4v16l13-8z",
    Pause: "M6 5v14h4V5zM14 5v14h4V5z",
    Next: "M8.6 6.4 10 5l7 7-7 7-1.4-1.4L14.2 12z",
    Last: "M17 5h2v14h-2zM6.6 6.4 8 5l7 7-7 7-1.4-1.4L12.2 12z",
  };

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
    made.append(...children);
    return made;
  }

  function show(button, name) {
    const namespace = "http://www.w3.org/2000/svg";
    const icon = document.createElementNS(namespace, "svg");
    const path = document.createElementNS(namespace, "path");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    icon.append(path);
    button.replaceChildren(icon);
    button.setAttribute("aria-label", name);
    button.title = name;
  }

  // The image's SVG as part of the page, its ids made unique there, and its parts by their old ids.
  function unpacked(image) {
    const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (c) => c.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    const picture = document.importNode(parsed.documentElement, true);
    let n = 1;
    while (document.getElementById(`player${n}-node0`)) n += 1;
    const parts = new Map();
    for (const part of picture.querySelectorAll("[id]")) {
      parts.set(part.id, part);
      part.id = `player${n}-${part.id}`;
    }
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", image.alt);
    return [picture, parts];
  }

  function start(root) {
    root.dataset.started = "";
    const frames = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const image = root.querySelector("img");
    const [picture, parts] = unpacked(image);
    const last = frames.length - 1;
    let current = 0;
    let timer = null;

    // --- the player's own parts ------------------------------------------------------------------

    const button = (name, action) => {
      const made = element("button", { type: "button" });
      show(made, name);
      made.addEventListener("click", action);
      return made;
    };
    const first = button("First", () => go(0));
    const previous = button("Previous", () => go(current - 1));
    const play = button("Play", () => (timer === null ? resume() : pause()));
    play.className = "play";
    const next = button("Next", () => go(current + 1));
    const final = button("Last", () => go(last));
    const slider = element("input", { type: "range", min: 0, max: last, "aria-label": "Step" });
    slider.addEventListener("input", () => go(Number(slider.value)));
    const phase = element("p", { class: "phase" });
    const whole = element("button", { type: "button", class: "whole", hidden: "" }, "Whole picture");
    whole.addEventListener("click", () => fit(whole.getAttribute("aria-pressed") !== "true"));
    const line = element("p", { class: "line" });
    const words = element("p", { class: "words" });
    const text = element("div", { class: "text", "aria-live": "polite" }, line, words);
    const stage = element("div", { class: "stage", tabindex: 0, role: "group" }, picture);
    stage.setAttribute("aria-label", "The graph; arrow keys step through it");

    image.replaceWith(
      element("div", { class: "controls" }, first, previous, play, next, final, slider, phase, whole),
      text,
      stage,
    );
    root.dataset.lmSuppressShortcuts = "true"; // the arrow keys belong to the player, not to Jupyter

    // --- the picture at a step -------------------------------------------------------------------

    const nodes = [...parts.values()].filter((part) => part.classList.contains("node"));
    const edges = [...parts.values()].filter((part) => part.classList.contains("edge"));
    const finalData = new Map();
    for (const part of picture.querySelectorAll(".data")) finalData.set(part, part.textContent);
    for (const node of nodes) node.querySelector("rect:not([fill=none])").classList.add("card");

    function reset() {
      for (const node of nodes) {
        node.classList.remove("known", "complete", "active");
        node.querySelector(".data").textContent = "";
        node.querySelector(".grad").textContent = "–";
      }
      for (const edge of edges) edge.classList.remove("known", "passed", "active");
    }

    function apply(frame) {
      for (const id of frame.computed) {
        const node = parts.get(id);
        const data = node.querySelector(".data");
        node.classList.add("known");
        data.textContent = finalData.get(data);
      }
      if (frame.computed.length) for (const id of frame.edges) parts.get(id).classList.add("known");
      else for (const id of frame.edges) parts.get(id).classList.add("passed");
      for (const [id, gradient] of Object.entries(frame.gradients)) {
        parts.get(id).querySelector(".grad").textContent = gradient;
      }
      for (const id of frame.complete) parts.get(id).classList.add("complete");
    }

    function go(step) {
      current = Math.min(Math.max(step, 0), last);
      const frame = frames[current];
      reset();
      for (const passed of frames.slice(0, current + 1)) apply(passed);
      for (const id of [...frame.nodes, ...frame.edges]) parts.get(id).classList.add("active");
      phase.textContent = frame.phase;
      line.textContent = frame.line;
      words.textContent = frame.words;
      text.style.minHeight = `${text.offsetHeight}px`; // never shrinks: the picture keeps its place
      slider.value = current;
      slider.setAttribute("aria-valuetext", frame.phase);
      root.dataset.step = current;
      for (const made of [first, previous]) made.setAttribute("aria-disabled", current === 0);
      for (const made of [next, final]) made.setAttribute("aria-disabled", current === last);
      follow(frame);
    }

    // --- playing ---------------------------------------------------------------------------------

    function resume() {
      if (current === last) go(0);
      show(play, "Pause");
      timer = setInterval(() => {
        go(current + 1);
        if (current === last || !root.isConnected) pause();
      }, 1000 * SECONDS_PER_STEP);
    }

    function pause() {
      clearInterval(timer);
      timer = null;
      show(play, "Play");
    }

    const keys = {
      ArrowRight: () => go(current + 1),
      ArrowLeft: () => go(current - 1),
      Home: () => go(0),
      End: () => go(last),
    };
    root.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      let action = keys[event.key];
      if (event.key === " " && event.target === stage) action = () => play.click();
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      action();
    });

    // --- a picture larger than its place -----------------------------------------------------------

    const natural = { width: picture.width.baseVal.value, height: picture.height.baseVal.value };
    const calm = matchMedia("(prefers-reduced-motion: reduce)");

    function fit(shrunk) {
      stage.classList.toggle("shrunk", shrunk);
      whole.setAttribute("aria-pressed", shrunk);
      follow(frames[current]);
    }

    // Brings the work into view; where it does not fit at once, the node that receives.
    function follow(frame) {
      const view = stage.getBoundingClientRect();
      if (!frame.nodes.length || !view.width) return;
      let work = bounds([...frame.nodes, ...frame.edges]);
      const fits = work.right - work.left <= view.width && work.bottom - work.top <= view.height;
      if (!fits) work = bounds(frame.nodes.slice(-1));
      const seen =
        work.left >= view.left &&
        work.right <= view.right &&
        work.top >= view.top &&
        work.bottom <= view.bottom;
      if (seen) return;
      stage.scrollBy({
        left: (work.left + work.right - view.left - view.right) / 2,
        top: (work.top + work.bottom - view.top - view.bottom) / 2,
        behavior: calm.matches ? "auto" : "smooth",
      });
    }

    function bounds(ids) {
      const boxes = ids.map((id) => parts.get(id).getBoundingClientRect());
      return {
        left: Math.min(...boxes.map((box) => box.left)),
        right: Math.max(...boxes.map((box) => box.right)),
        top: Math.min(...boxes.map((box) => box.top)),
        bottom: Math.max(...boxes.map((box) => box.bottom)),
      };
    }

    // The place has its size when it comes into view, which in a notebook may be later than now.
    new ResizeObserver((_, observer) => {
      const scale = Math.min(
        stage.clientWidth / natural.width,
        (0.7 * window.innerHeight) / natural.height,
      );
      if (!(scale > 0)) return;
      observer.disconnect();
      whole.hidden = scale >= 1;
      fit(scale >= READABLE_SCALE);
    }).observe(stage);

    go(0);
  }

  for (const root of document.querySelectorAll(".autograd-player:not([data-started])")) start(root);
})();
