// The page's beginning: which models there are, who is asking, and what to show first.

import { apiKey, json, setApiKey } from "./api.js";
import { showBasis } from "./basis.js";
import { find, make, notify } from "./elements.js";
import { showJobs } from "./jobs.js";
import "./submission.js";

const [select, key] = [find("#model"), find("#key")];

async function start() {
  notify(null);
  try {
    const { models } = await json("models");
    const latest = models.filter((model) => model.latest);
    select.replaceChildren(
      ...latest.map((model) => make("option", { value: model.name, textContent: model.name, title: model.version })),
    );
    select.disabled = !latest.length;
    if (!latest.length) throw new Error("No model is published yet: eigenwarp models publish NAME");
    await Promise.all([showBasis(select.value), showJobs()]);
  } catch (problem) {
    notify(problem);
    if (problem.status === 401) key.focus();
  }
}

key.value = apiKey();
key.addEventListener("change", () => (setApiKey(key.value.trim()), start()));
select.addEventListener("change", () => showBasis(select.value).catch(notify));
find("#where").addEventListener("submit", (event) => event.preventDefault());
find("#reload").addEventListener("click", () => showJobs().catch(notify));
start();
