// Numbers and messages as text.

// Four digits, as Python's %.4g, which rounds a tie to the even digit; what is exact has no zeros at
// its end. A true minus, and never -0.
function number(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "−inf" : "inf";
  if (x === 0) return "0";
  const [, sign, digits, exponent] = rounded(x).match(/^(-?)([\d.]+)e([+-]\d+)$/);
  const power = Number(exponent);
  let text;
  if (power < -4 || power >= 4) {
    const short = Number(`${digits}e${power}`) === Math.abs(x) ? trimmed(digits) : digits;
    text = `${short}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  } else {
    text = Number(`${digits}e${power}`).toFixed(3 - power);
    if (Number(text) === Math.abs(x)) text = trimmed(text);
  }
  return (sign + text).replace(/-/g, "−");
}

function rounded(x) {
  const exact = x.toExponential(40); // enough to see that what follows four digits is 5000…
  if (!/^-?\d\.\d{3}50*e/.test(exact)) return x.toExponential(3);
  const cut = exact.replace(/^(-?\d\.\d{3})50*e/, "$1e");
  return Number(cut.match(/(\d)e/)[1]) % 2 ? x.toExponential(3) : cut;
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const guarded = (text) => (text.startsWith("−") ? `(${text})` : text);
const product = (x, y) => `${number(x)} · ${guarded(number(y))}`;
const signed = (x) => `${x < 0 ? "−" : "+"}${number(Math.abs(x))}`;
const added = (x, y) => `${number(x)} ${y < 0 ? "−" : "+"} ${number(Math.abs(y))}`;

const NUMBER = String.raw`([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)`;
const TYPED = new RegExp(String.raw`^${NUMBER}\s*(?:([/*·])\s*\(?${NUMBER}\)?)?$`, "i");

// What was typed: a number, a fraction or a product, with a true minus and a decimal comma if one
// likes. NaN for anything else.
function typed(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/,/g, ".");
  const [, first, sign, second = "1"] = plain.match(TYPED) ?? [];
  return sign === "/" ? Number(first) / Number(second) : Number(first) * Number(second);
}

// The template with its places filled, by text or by elements, as a list of both.
function filled(template, places) {
  return template.split(/(\{\w+\})/).map((part) => {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    return name === undefined ? part : (places[name] ?? "");
  });
}

const told = (template, places = {}) => filled(template, places).map(plain).join("");
const plain = (part) => (typeof part === "string" ? part : (part.textContent ?? String(part)));
