// The components' table and the picture of the chosen one.

import { json, patiently, save, wait } from "./api.js";
import { MOTIONS, WORDS, enlarge, find, fixed, make, motionShares, notify, percent, signed, width } from "./elements.js";

const AXES = ["left–right", "back–front", "foot–head"];

let rows = [];
let chosen = 1;
let model = "";
let asked = new AbortController();

export async function showBasis(name) {
  model = name;
  const table = await json(`components?model=${encodeURIComponent(model)}`);
  rows = table.rows;
  find("#legend").replaceChildren(
    ...MOTIONS.map((motion) => make("li", {}, make("i", { class: motion }), WORDS[motion] ?? motion)),
  );
  const most = Math.max(...rows.map((row) => row.explained_variance_ratio));
  find("#components tbody").replaceChildren(...rows.map((row) => tableRow(row, most)));
  const held = rows.at(-1)?.cumulative;
  find("#basis-words").textContent =
    `${rows.length} elementary deformations hold ${percent(held)} of how the training subjects differ. Choose one and move it.`;
  choose(Math.min(chosen, rows.length) || 1);
}

function tableRow(row, most) {
  const { component: k, explained_variance_ratio: share, cumulative, motion } = row;
  const button = make("button", { type: "button", textContent: k, title: `Component ${k}` });
  const [inShares, shares] = motionShares(motion);
  const line = make(
    "tr",
    { onclick: () => choose(k) },
    make("td", { class: "number" }, button),
    make(
      "td",
      { title: `${percent(cumulative)} up to here` },
      make(
        "div",
        { class: "bar" },
        make("span", { class: "track" }, width(make("span", { class: "fill" }), share / most)),
        make("span", { class: "value", textContent: percent(share) }),
      ),
    ),
    make(
      "td",
      { title: inShares },
      shares,
      make("div", { class: "does", textContent: inWords(row) }),
    ),
  );
  line.dataset.component = k;
  return line;
}

function inWords({ motion }) {
  const main = MOTIONS.reduce((best, name) => (motion.shares[name] > motion.shares[best] ? name : best));
  const share = percent(motion.shares[main], 0);
  if (main === "rotation") return `${share} rotation, ${fixed(motion.rotation_degrees, 1)}° ${about(motion.rotation_axis)}`;
  if (main === "translation") return `${share} translation, ${fixed(Math.hypot(...motion.translation_mm), 1)} mm ${along(motion.translation_mm)}`;
  if (main === "scaling") return `${share} scaling, lengths ${signed(motion.scaling_percent)} %`;
  return `${share} ${WORDS[main] ?? main}, ${fixed(motion.rms_mm, 1)} mm RMS`;
}

const longest = (vector) => vector.map(Math.abs).reduce((best, value, at, all) => (value > all[best] ? at : best), 0);
const about = (vector) => `about ${AXES[longest(vector)]}`;
function along(vector) {
  const at = longest(vector);
  return [["left", "right"], ["back", "forward"], ["down", "up"]][at][vector[at] > 0 ? 1 : 0];
}

function choose(k) {
  chosen = k;
  const row = rows[k - 1];
  for (const line of find("#components tbody").rows) {
    const here = Number(line.dataset.component) === k;
    line.classList.toggle("chosen", here);
    find("button", line).setAttribute("aria-pressed", String(here));
  }
  if (!row) return;
  find("#stage-title").textContent = `Component ${k}`;
  const { description } = row;
  find("#stage-words").textContent = description ? `${description[0].toUpperCase()}${description.slice(1)}.` : inWords(row);
  const facts = [
    ["Explained, together", percent(row.cumulative)],
    ["RMS motion", `${fixed(row.motion.rms_mm, 2)} mm`],
    ["Rotation", `${fixed(row.motion.rotation_degrees, 1)}°`],
    ["Translation R, A, S", `${row.motion.translation_mm.map((mm) => signed(mm)).join(", ")} mm`],
    ...row.volume_changes.map((label) => [`Volume, ${label.name ?? `label ${label.label}`}`, `${signed(label.change_percent)} %`]),
  ];
  find("#facts").replaceChildren(
    ...facts.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))),
  );
  draw();
}

const scale = () => Number(find("#scale").value);
const query = (extra = {}) => new URLSearchParams({ scale: scale(), unit: "sd", model, ...extra });

async function draw() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const [image, frame, state, picture] = ["#figure", "#enlarge", "#figure-state", "#picture"].map((name) => find(name));
  find("#scale-value").textContent = `${signed(scale())} sd`;
  picture.setAttribute("aria-busy", "true");
  state.textContent = "Drawing …";
  state.hidden = !frame.hidden;
  try {
    await wait(120, signal); // the slider is still moving
    const response = await patiently(`components/${chosen}/figure.png?${query()}`, { signal });
    const url = URL.createObjectURL(await response.blob());
    const before = image.src;
    await new Promise((onload, refuse) => {
      Object.assign(image, { onload, onerror: () => refuse(new Error("it cannot be read")), src: url });
    });
    if (before) URL.revokeObjectURL(before);
    image.alt = `The template and its outline before and after component ${chosen} at ${signed(scale())} standard deviations, with arrows.`;
    frame.hidden = false;
    state.hidden = true;
  } catch (problem) {
    if (signal.aborted) return;
    frame.hidden = true;
    state.hidden = false;
    state.textContent = `No picture: ${problem.message}`;
  }
  if (!signal.aborted) picture.setAttribute("aria-busy", "false");
}

async function saveField(event) {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    const response = await patiently(`components/${chosen}/deformation?${query({ format: "itk" })}`);
    save(await response.blob(), `component-${chosen}_${scale()}sd_itk.nii.gz`);
  } catch (problem) {
    notify(problem);
  } finally {
    button.disabled = false;
  }
}

find("#enlarge").addEventListener("click", () => enlarge(find("#figure")));
find("#scale").addEventListener("input", draw);
find("#save-field").addEventListener("click", saveField);
find("#components").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const next = rows[chosen - 1 + (step ?? 0)];
  if (!step || !next) return;
  event.preventDefault();
  choose(next.component);
  find("tr.chosen button").focus();
});
