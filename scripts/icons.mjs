// Builds one SVG sprite of the Lucide icons that the list in app/src/icon.rs names, and of no other.
//   node scripts/icons.mjs <list> <directory of icons> <sprite>
import { readFileSync, writeFileSync } from "node:fs";

const [list, directory, sprite] = process.argv.slice(2);
const names = [...readFileSync(list, "utf8").matchAll(/^\s+[A-Z]\w* = "([a-z0-9-]+)",/gm)].map((m) => m[1]);
if (names.length === 0) throw new Error(`${list} names no icon`);

const symbols = names.map((name) => {
  const svg = readFileSync(`${directory}/${name}.svg`, "utf8");
  const shapes = svg.replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace("</svg>", "");
  const body = shapes.split("\n").map((line) => line.trim()).filter(Boolean).join("").replaceAll(" />", "/>");
  return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
});

const notice =
  "<!-- Icons from Lucide (https://lucide.dev). ISC License, Copyright (c) Lucide Icons and Contributors; " +
  "some derived from Feather, MIT License, Copyright (c) Cole Bemis. -->";
writeFileSync(sprite, `<svg xmlns="http://www.w3.org/2000/svg">\n${notice}\n${symbols.join("\n")}\n</svg>\n`);
