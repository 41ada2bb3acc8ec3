// One job: its progress while it runs, its findings once it has ended.

import { call, events, json, save, wait } from "./api.js";
import { enlarge, find, fixed, make, motionShares, notify, percent, signed, width } from "./elements.js";
import { showJobs } from "./jobs.js";

const FINAL = new Set(["succeeded", "failed", "cancelled"]);
let followed = new AbortController();

export async function followJob(job) {
  followed.abort();
  followed = new AbortController();
  const { signal } = followed;
  show(job);
  showJobs();
  try {
    while (!FINAL.has(job.state)) {
      try {
        for await (const event of events(`jobs/${job.id}/events`, signal)) {
          job = { ...job, state: event.state, progress: event.progress };
          if (!FINAL.has(job.state)) show(job);
        }
      } catch (problem) {
        if (signal.aborted) return;
      }
      job = await json(`jobs/${job.id}`, { signal }); // the row is the only truth about a job
      if (!FINAL.has(job.state)) await wait(1000, signal);
    }
    show(job);
    showJobs();
  } catch (problem) {
    if (!signal.aborted) notify(problem);
  }
}

function show(job) {
  const head = make(
    "div",
    { class: "job-head" },
    make("h3", { textContent: job.kind[0].toUpperCase() + job.kind.slice(1) }),
    make("span", { class: `state ${job.state}`, textContent: job.state }),
  );
  const parts = FINAL.has(job.state) ? ended(job) : running(job);
  find("#job").replaceChildren(head, ...parts.filter(Boolean));
}

function running(job) {
  const bar = make("progress", { max: 1, ariaLabel: "Progress" });
  if (job.progress) bar.value = job.progress.fraction;
  return [
    bar,
    make("p", { class: "empty", textContent: job.progress ? `${job.progress.stage} …` : "waiting for a worker …" }),
    make("p", { class: "actions" }, make("button", { type: "button", textContent: "Cancel", onclick: () => cancel(job) })),
  ];
}

async function cancel(job) {
  try {
    await call(`jobs/${job.id}/cancel`, { method: "POST" });
  } catch (problem) {
    notify(problem);
  }
}

function ended(job) {
  const found = job.report ?? job.projection;
  return [
    job.problem && make("p", { class: "warnings", textContent: `${job.problem.title}. ${job.problem.detail}` }),
    ...(job.report ? report(job.report) : []),
    ...(job.projection ? projection(job.projection) : []),
    picture(job),
    found?.warnings.length
      ? make("ul", { class: "warnings" }, ...found.warnings.map((warning) => make("li", { textContent: warning.detail })))
      : null,
    job.results.length ? make("p", { class: "sub", textContent: "Results" }) : null,
    make("p", { class: "actions" }, ...job.results.map(download)),
  ];
}

const tiles = (...pairs) =>
  make(
    "div",
    { class: "tiles" },
    ...pairs.map(([name, value]) => make("div", { class: "tile" }, make("span", { textContent: name }), make("b", { textContent: value }))),
  );

function report({ similarity, labels, jacobian, inverse_consistency: inverse, explanation }) {
  return [
    tiles(
      ["Similarity", `${fixed(similarity.before)} → ${fixed(similarity.after)}`],
      ...(labels.mean_dice_after === null ? [] : [["Mean Dice", `${fixed(labels.mean_dice_before, 3)} → ${fixed(labels.mean_dice_after, 3)}`]]),
      ["Folding", percent(jacobian.folding_share, 2)],
      ["There and back", `${fixed(inverse.mean_mm)} mm`],
    ),
    explanation?.description && make("p", { class: "words", textContent: explanation.description }),
    ...(explanation?.motion ? motions(explanation) : []),
    explanation && make("p", { class: "sub", textContent: `Share of the difference; ${percent(explanation.outside_basis_share)} outside the basis` }),
    explanation && chart(explanation.components.map((row) => [row.component, row.share, percent(row.share)]), false),
  ];
}

function motions({ motion, basis_motion: ofBasis, beyond_basis_mm: apart }) {
  const [inAll, all] = motionShares(motion);
  const line = `Motion beyond the alignment, ${fixed(motion.rms_mm, 1)} mm: ${inAll}`;
  if (!ofBasis) return [make("p", { class: "sub", textContent: line }), all];
  const [byBasis, part] = motionShares(ofBasis);
  return [
    make("p", { class: "sub", textContent: line }),
    all,
    make("p", { class: "sub", textContent: `By the basis alone, within ${fixed(apart, 1)} mm of it: ${byBasis}` }),
    part,
  ];
}

// The picture of the explanation, where one was asked for.
function picture(job) {
  const result = job.results.find((one) => one.name === "explanation");
  if (!result) return null;
  const image = make("img", { alt: "" });
  const frame = make("button", { type: "button", hidden: true, title: "Enlarge", onclick: () => enlarge(image) }, image);
  const state = make("p", { textContent: "Loading …" });
  const fetchIt = async () => {
    try {
      const url = URL.createObjectURL(await (await call(result.href)).blob());
      const words = job.report?.explanation?.description;
      Object.assign(image, { src: url, alt: words ?? "The registration's components, motions, outlines and Jacobian." });
      frame.hidden = false;
      state.hidden = true;
    } catch (problem) {
      state.textContent = `No picture: ${problem.message}`;
    }
  };
  fetchIt();
  return make("div", { class: "picture" }, frame, state);
}

function projection(found) {
  return [
    tiles(
      ["Distance from the cohort", fixed(found.mahalanobis)],
      ["Nearer than", `${fixed(100 - found.mahalanobis_percentile, 0)} % of it`],
      ["Not held by the basis", percent(found.reconstruction_residual)],
    ),
    make("p", { class: "sub", textContent: "Coefficients, in standard deviations of the cohort" }),
    chart(found.z_scores.map((z, at) => [at + 1, z, signed(z, 2)]), true),
  ];
}

// Rows of [k, value, text]; about a middle line where values can be negative.
function chart(rows, twoSided, shown = 12) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), 1e-9);
  const bar = (value) => {
    const part = (Math.abs(value) / most) * (twoSided ? 0.5 : 1);
    const line = width(make("i"), part);
    line.style.left = twoSided ? `${value < 0 ? 50 - 100 * part : 50}%` : "0";
    return make("span", { class: "axis" }, line);
  };
  const more = rows.length - shown;
  return make(
    "div",
    { class: twoSided ? "chart sided" : "chart" },
    ...rows.slice(0, shown).map(([k, value, text]) =>
      make("div", { class: "row" }, make("span", { textContent: k }), bar(value), make("span", { textContent: text })),
    ),
    more > 0 ? make("p", { class: "empty", textContent: `and ${more} more in the results` }) : null,
  );
}

function download(result) {
  const fetchIt = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const response = await call(result.href);
      const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
      save(await response.blob(), name?.[1] ?? result.name);
    } catch (problem) {
      notify(problem);
    } finally {
      button.disabled = false;
    }
  };
  return make("button", { type: "button", textContent: result.name.replaceAll("_", " "), onclick: fetchIt });
}
