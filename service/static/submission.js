// Files in, a job out.

import { json } from "./api.js";
import { find, make, notify } from "./elements.js";
import { followJob } from "./job.js";

// All that there is, the picture included, which is drawn only where it is named.
const OUTPUTS = ["field", "inverse_field", "warped", "warped_segmentation", "jacobian", "report", "explanation"];
const form = find("#submit");
const files = new Map();

for (const zone of form.querySelectorAll(".drop")) {
  const { file: name, title } = zone.dataset;
  const input = make("input", { type: "file", ariaLabel: title, accept: ".nii,.gz,.nii.gz" });
  const words = make("span", { textContent: emptyWords(zone) });
  zone.append(make("b", { textContent: title }), words, input);
  const take = (file) => {
    file ? files.set(name, file) : files.delete(name);
    zone.classList.toggle("filled", Boolean(file));
    words.textContent = file ? `${file.name} · ${size(file.size)}` : emptyWords(zone);
  };
  input.addEventListener("change", () => take(input.files[0]));
  zone.addEventListener("dragover", (event) => (event.preventDefault(), zone.classList.add("over")));
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

function emptyWords(zone) {
  return "required" in zone.dataset ? "drop a file, or choose one" : "optional";
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

const kind = () => form.elements.kind.value;

form.addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  for (const part of form.querySelectorAll("[data-kind]")) part.hidden = part.dataset.kind !== kind();
  find("button.main").textContent = kind() === "project" ? "Project" : "Register";
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const missing = [...form.querySelectorAll(`[data-kind="${kind()}"] .drop[data-required]`)].find(
    (zone) => !files.has(zone.dataset.file),
  );
  if (missing) {
    notify(new Error(`${missing.dataset.title}: choose a file first.`));
    find("input", missing).focus();
    return;
  }
  notify(null);
  const button = find("button.main");
  button.disabled = true;
  try {
    followJob(await json(kind(), { method: "POST", body: body() }));
  } catch (problem) {
    notify(problem);
  } finally {
    button.disabled = false;
  }
});

function body() {
  const data = new FormData();
  for (const zone of form.querySelectorAll(`[data-kind="${kind()}"] .drop`)) {
    const file = files.get(zone.dataset.file);
    if (file) data.append(zone.dataset.file, file, file.name);
  }
  data.append("model", find("#model").value);
  const { subject, refine, alignment, field_format } = form.elements;
  if (kind() === "register") {
    data.append(
      "options",
      JSON.stringify({ refine: refine.value, alignment: alignment.value, field_format: field_format.value, outputs: OUTPUTS }),
    );
  } else if (subject.value) {
    data.append("subject", subject.value);
  }
  return data;
}
