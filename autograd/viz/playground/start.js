// The page's element, and what Python says of the model.

const root = document.currentScript.parentElement;
const told = JSON.parse(root.querySelector("script[type='application/json']").textContent);
root.querySelector(".still").remove();
