// Keeps the page as the node says it is. No picture, no other site, nothing is stored but the choice of dark or light.

import { Wave, drawTrend } from "./waves.js";

const VITALS = {
  bvp: { name: "Heart rate", unit: "beats/min", seconds: 8, colour: "--heart", wave: "blood volume pulse, the last 8 seconds" },
  rsp: { name: "Respiration rate", unit: "breaths/min", seconds: 30, colour: "--breath", wave: "respiration, the last 30 seconds" },
};
const STATUS = { WARMING_UP: "measuring", NO_FACE: "no face in view", STALE: "no images", UNSUPPORTED: "not measured by this model" };
const AGAIN_MS = 1500;
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const byId = (id) => document.getElementById(id);
const people = new Map();
let socket = null;
let measuring = false;

function person(face) {
  if (people.has(face)) return people.get(face);
  const node = byId("person").content.firstElementChild.cloneNode(true);
  node.dataset.face = face;
  node.querySelector(".name").textContent = `Face ${face}`;
  const vitals = {};
  for (const [key, about] of Object.entries(VITALS)) vitals[key] = vital(node.querySelector(".vitals"), key, about);
  byId("people").append(node);
  const made = { node, vitals };
  people.set(face, made);
  const option = new Option(`face ${face}`, face);
  byId("who").append(option);
  byId("nobody").hidden = true;
  return made;
}

function vital(parent, key, about) {
  const node = byId("vital").content.firstElementChild.cloneNode(true);
  node.dataset.vital = key;
  node.dataset.known = "no";
  node.querySelector("h3").textContent = about.name;
  node.querySelector(".unit").textContent = about.unit;
  const canvas = node.querySelector(".wave");
  canvas.dataset.height = 96;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", about.wave);
  node.querySelector(".trend").dataset.height = 90;
  node.querySelector("meter").setAttribute("aria-label", `quality of the ${about.name.toLowerCase()}`);
  node.querySelector("details").addEventListener("toggle", () => trend(made));
  parent.append(node);
  const made = { node, about, wave: new Wave(canvas, about.seconds, about.colour), points: [] };
  return made;
}

function gone(face) {
  people.get(face)?.node.remove();
  people.delete(face);
  byId("who").querySelector(`option[value="${CSS.escape(face)}"]`)?.remove();
  byId("nobody").hidden = people.size > 0;
}

function rate(event) {
  const { node } = person(event.face).vitals[event.vital];
  const known = event.status === "OK";
  node.dataset.known = known ? "yes" : "no";
  put(node, ".value", known ? event.value.toFixed(0) : "–");
  put(node, ".interval", known ? `${event.low.toFixed(0)} to ${event.high.toFixed(0)} (95 %)` : STATUS[event.status] || "not known");
  node.querySelector("meter").value = event.quality || 0;
  const reasons = event.reasons.map((one) => (one.advice ? `${one.text} (${one.advice})` : one.text));
  put(node, ".reasons", known ? "" : reasons.join("; "));
  people.get(event.face).node.classList.toggle("gone", event.status === "NO_FACE");
}

function trend(made) {
  const { node, points, about } = made;
  if (!node.querySelector("details").open) return;
  drawTrend(node.querySelector(".trend"), points, about.colour);
  const last = points.at(-1)?.[0] || 0;
  const show = (value) => (value === null ? "–" : value.toFixed(0));
  const rows = points.slice().reverse().map(([t, ...values]) => row([((last - t) / 60).toFixed(0), ...values.map(show)]));
  node.querySelector("tbody").replaceChildren(...rows);
}

function row(cells) {
  const node = document.createElement("tr");
  for (const cell of cells) node.insertCell().textContent = cell;
  return node;
}

function conditions(event) {
  const items = event.conditions.map((one) => {
    const node = document.createElement("li");
    node.dataset.nature = one.nature;
    node.textContent = `${one.nature} condition: ${one.text}${one.face ? ` (face ${one.face})` : ""}`;
    return node;
  });
  if (!items.length) {
    const none = document.createElement("li");
    none.className = "none";
    none.textContent = "none";
    items.push(none);
  }
  byId("conditions").replaceChildren(...items);
}

function session(event) {
  measuring = event !== null;
  byId("session").hidden = !measuring;
  byId("stop").disabled = !measuring;
  byId("start").disabled = measuring;
  if (!measuring) return;
  byId("progress").value = event.progress;
  const so_far = Object.values(event.rates).filter((one) => one.status === "OK");
  const text = so_far.map((one) => `${VITALS[one.vital].name.toLowerCase()} ${one.value.toFixed(0)} so far`);
  put(document, "#advice", [...text, event.advice].filter(Boolean).join("; ") || "measuring");
  byId("result").textContent = "";
}

const TAKE = {
  wave: (event) => person(event.face).vitals[event.vital].wave.push(event.start, event.rate, event.samples),
  rate,
  trend: (event) => {
    const made = person(event.face).vitals[event.vital];
    made.points = event.points;
    trend(made);
  },
  gone: (event) => gone(event.face),
  targets: (event) => people.forEach(({ node }, face) => node.classList.toggle("target", event.faces.includes(face))),
  conditions,
  measuring: session,
  result: (event) => { session(null); byId("result").textContent = event.message; },
  refused: (event) => { session(null); byId("result").textContent = event.text; },
};

// A screen reader is not told again what it was told already.
function put(parent, selector, text) {
  const node = parent.querySelector(selector);
  if (node.textContent !== text) node.textContent = text;
}

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/events`);
  socket.onopen = () => link("connected", false);
  socket.onmessage = (message) => {
    const event = JSON.parse(message.data);
    TAKE[event.kind]?.(event);
  };
  socket.onclose = () => {
    link("connection lost: what is shown is old", true);
    window.setTimeout(connect, AGAIN_MS);
  };
}

function link(text, lost) {
  byId("link").textContent = text;
  byId("link").classList.toggle("lost", lost);
}

function send(command) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

byId("measure").addEventListener("submit", (event) => {
  event.preventDefault();
  send({ do: "measure", face: byId("who").value, vitals: Number(byId("what").value), seconds: Number(byId("seconds").value) });
  session({ progress: 0, rates: {}, advice: "" });
});
byId("stop").addEventListener("click", () => send({ do: "stop" }));

const dark = byId("theme");
function theme(name) {
  document.documentElement.dataset.theme = name;
  dark.setAttribute("aria-pressed", String(name === "dark"));
  people.forEach(({ vitals }) => Object.values(vitals).forEach(trend));
}
dark.addEventListener("click", () => {
  const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", name);
  theme(name);
});
theme(localStorage.getItem("theme") || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

let drawn = 0;
function draw(now) {
  if (!CALM.matches || now - drawn > 1000) {
    drawn = now;
    for (const { vitals } of people.values()) for (const { wave } of Object.values(vitals)) wave.draw(now);
  }
  window.requestAnimationFrame(draw);
}
window.requestAnimationFrame(draw);
connect();
