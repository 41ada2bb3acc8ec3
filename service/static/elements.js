// Building the page: text goes in as text, never as markup.

export const find = (selector, root = document) => root.querySelector(selector);

export function make(tag, properties = {}, ...children) {
  const { class: names, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  if (names) element.className = names;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const fixed = (value, digits = 2) =>
  value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
export const signed = (value, digits = 1) => (value > 0 ? "+" : "") + fixed(value, digits);
export const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : `${fixed(100 * share, digits)} %`);

export function width(element, share) {
  element.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
  return element;
}

export function notify(problem) {
  const notice = find("#notice");
  notice.hidden = !problem;
  notice.textContent = problem ? problem.message : "";
}

// The five kinds of motion, as style sheet and report name them, and the words for those that need one.
export const MOTIONS = ["translation", "rotation", "scaling", "shear", "rest"];
export const WORDS = { rest: "bending" };

export function motionShares(motion) {
  const title = MOTIONS.map((name) => `${WORDS[name] ?? name} ${percent(motion.shares[name], 0)}`).join(", ");
  const bar = make("div", { class: "shares", title }, ...MOTIONS.map((name) => width(make("i", { class: name }), motion.shares[name])));
  return [title, bar];
}

const large = find("#large");
large.addEventListener("click", () => large.close());

export function enlarge({ src, alt }) {
  Object.assign(find("img", large), { src, alt });
  large.showModal();
}
