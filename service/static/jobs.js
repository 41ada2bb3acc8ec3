// The latest jobs.

import { json } from "./api.js";
import { find, make } from "./elements.js";
import { followJob } from "./job.js";

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export async function showJobs() {
  const page = await json("jobs?limit=50");
  // Pictures and fields of components are this page's own doing.
  const jobs = page.jobs.filter((job) => !["figure", "deformation"].includes(job.kind)).slice(0, 10);
  const none = make("tr", {}, make("td", { colSpan: 6, class: "empty", textContent: "None yet." }));
  find("#jobs tbody").replaceChildren(...(jobs.length ? jobs.map(row) : [none]));
}

function row(job) {
  const seconds = job.finished_at && job.started_at ? (new Date(job.finished_at) - new Date(job.started_at)) / 1000 : null;
  return make(
    "tr",
    {},
    make("td", {}, make("button", { type: "button", class: "quiet", textContent: job.kind, title: "Show it above", onclick: () => reveal(job) })),
    make("td", {}, make("span", { class: `state ${job.state}`, textContent: job.state })),
    make("td", { textContent: WHEN.format(new Date(job.created_at)) }),
    make("td", { class: "number", textContent: seconds === null ? "–" : `${seconds.toFixed(1)} s` }),
    make("td", { class: "wide", textContent: job.model ? `${job.model.name} ${job.model.version.slice(0, 6)}` : "–" }),
    make("td", { class: "wide id", textContent: job.id.slice(0, 16), title: job.id }),
  );
}

async function reveal(job) {
  followJob(await json(`jobs/${job.id}`));
  find("#try").scrollIntoView({ behavior: "smooth" });
}
