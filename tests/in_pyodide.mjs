// Runs a Python program under Pyodide, with nothing from the network:
//   node in_pyodide.mjs NODE_MODULES PYODIDE FOLDER_OF_WHEELS PROGRAM.py
// Graphviz, as WebAssembly, is there as `graphviz_layout(dot)`, which returns the text of its json0.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, edition, wheels, program] = process.argv.slice(2);
const imported = (name) => import(pathToFileURL(path.resolve(modules, name)));
const { loadPyodide } = await imported(`${edition}/pyodide.mjs`);
const { Graphviz } = await imported("@hpcc-js/wasm-graphviz/dist/index.js");
const [pyodide, graphviz] = await Promise.all([loadPyodide(), Graphviz.load()]);
for (const wheel of fs.readdirSync(wheels)) {
  pyodide.unpackArchive(new Uint8Array(fs.readFileSync(path.join(wheels, wheel))), "wheel");
}
pyodide.globals.set("graphviz_layout", (dot) => graphviz.layout(dot, "json0", "dot"));
try {
  pyodide.runPython(fs.readFileSync(program, "utf8"));
} catch (error) {
  console.error(error.message); // alone: node would show the source, which is a line of a megabyte
  process.exit(1);
}
