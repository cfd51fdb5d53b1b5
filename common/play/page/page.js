// The page pulls: it sends the held keys, gets one frame, and asks for the next when its clock says so.
"use strict";
const FRAME = 1, FILE = 2, AUDIT = 3;
const BUSY = 4001, MOVED = 4002, IDLED = 4003, BROKEN = 4004;
const LARGEST = 448, SMALLEST = 192, AROUND = 270; // pixels: of a picture's side, and of the page above and below it
const SYMBOLS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Space: "space" };
const byId = id => document.getElementById(id);
const picture = byId("picture"), twin = byId("twin");

let socket, about, image, twinImage;
let running = false, waiting = false, engineShown = false, recording = 0, timer = 0, due = 0;
let arrivals = []; // times of the frames of the last second
let held = []; // buttons that are down, in the order in which they were pressed
const fingers = new Map(); // pointer -> button of the pad

// ---- the connection

function connect(take) {
  const here = new URLSearchParams(location.search), words = new URLSearchParams();
  for (const name of ["token", "world"]) if (here.has(name)) words.set(name, here.get(name));
  if (take) words.set("take", "1");
  const address = new URL("socket", location.href.split("?")[0]);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.search = words;
  cover("Loading …", "");
  byId("cover").onclick = null;
  about = null;
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = event => typeof event.data === "string" ? hear(JSON.parse(event.data)) : receive(event.data);
  socket.onclose = closed;
}

function closed(event) {
  const wasPlaying = about !== null;
  stop();
  waiting = false;
  setRecording(0);
  about = null;
  const ends = {
    [BUSY]: ["Already being played", "This game is open in another window. Click to play it here instead."],
    [MOVED]: ["Played elsewhere", "The game went on in another window. Click to play it here again."],
    [IDLED]: ["The session ended", "No key was pressed for a while. Click to play again."],
    [BROKEN]: ["The game stopped", event.reason],
  };
  const [title, text] = ends[event.code] || (wasPlaying
    ? ["The connection is gone", "Is the server still running? Click to try again."]
    : ["No connection", "The server does not answer, or does not know this address's token. Click to try again."]);
  cover(title, text);
  byId("cover").onclick = () => connect(event.code === BUSY || event.code === MOVED);
}

const isOpen = () => socket && socket.readyState === WebSocket.OPEN && about !== null;
const send = words => { if (isOpen()) socket.send(JSON.stringify(words)); };

function hear(words) {
  if (words.about) begin(words.about);
  if ("seed" in words) byId("dream-name").title = `seed ${words.seed}`;
  if (words.say) say(words.say);
}

function receive(buffer) {
  const view = new DataView(buffer), kind = view.getUint8(0);
  if (kind === FILE) return save(buffer, view);
  const number = view.getUint32(4, true);
  if (kind === AUDIT) return drawAudit(buffer, view, number);
  draw(picture, image, new Uint8Array(buffer, 12));
  byId("number").textContent = number;
  byId("action").textContent = number ? about.actions[view.getUint8(1)] : "";
  if (number) { // a restart's own frame, number 0, answers no question
    waiting = false;
    count(view.getFloat32(8, true));
    tick();
  }
}

// ---- the clock: one question at a time

function ask() {
  const bytes = new DataView(new ArrayBuffer(5));
  let mask = 0;
  for (const [place, button] of held.entries()) {
    const opposite = about.buttons[button].opposite;
    if (opposite === null || held.indexOf(opposite) < place) mask |= 1 << button; // of two opposites the last counts
  }
  bytes.setUint8(0, FRAME);
  bytes.setUint32(1, mask >>> 0, true);
  waiting = true;
  socket.send(bytes.buffer);
}

function tick() {
  clearTimeout(timer);
  if (!running || waiting || !isOpen()) return;
  const now = performance.now(), period = 1000 / byId("clock").value;
  if (now < due) {
    timer = setTimeout(tick, due - now);
    return;
  }
  due = Math.max(due + period, now - period); // a late frame is made up for, a long break is not
  ask();
}

function go() {
  if (running || !isOpen()) return;
  running = true;
  due = performance.now();
  arrivals = [];
  byId("cover").hidden = true;
  byId("pause").setAttribute("aria-pressed", "false");
  picture.focus({ preventScroll: true });
  tick();
}

function stop() {
  running = false;
  clearTimeout(timer);
  release();
}

function pause() {
  if (!running) return;
  stop();
  cover("Paused", "Click, or press a key, to go on.", true);
  byId("cover").onclick = go;
  byId("pause").setAttribute("aria-pressed", "true");
}

function count(milliseconds) {
  const now = performance.now();
  arrivals.push(now);
  while (now - arrivals[0] > 1000) arrivals.shift();
  const seconds = (now - arrivals[0]) / 1000;
  if (arrivals.length > 4) byId("fps").textContent = ((arrivals.length - 1) / seconds).toFixed(1);
  byId("ms").textContent = milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0);
  if (recording) setRecording(Math.min(recording + 1, about.most_recorded));
}

// ---- keys

function buttonOf(code) {
  return about ? about.buttons.findIndex(button => button.codes.includes(code)) : -1;
}

function press(button) {
  if (!held.includes(button)) held.push(button);
  light();
}

function lift(button) {
  held = held.filter(other => other !== button);
  light();
}

function release() {
  held = [];
  fingers.clear();
  light();
}

function light() {
  for (const [button, node] of [...byId("pad").children].entries()) node.classList.toggle("held", held.includes(button));
}

const shortcuts = { KeyP: () => running ? pause() : go(), KeyR: restart, KeyE: toggle };

window.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input") && /^(Arrow|Page|Home|End)/.test(event.code)) return; // they move the slider
  if (event.target.matches("button") && ["Space", "Enter"].includes(event.code) && event.target !== byId("cover")) return;
  const button = buttonOf(event.code), shortcut = shortcuts[event.code];
  if (button < 0 && !shortcut) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.repeat) return;
  if (button < 0) return shortcut();
  go();
  press(button);
}, true);

window.addEventListener("keyup", event => {
  const button = buttonOf(event.code);
  if (button < 0) return;
  event.preventDefault();
  event.stopPropagation();
  lift(button);
}, true);

// A key that is let go elsewhere tells no one.
window.addEventListener("blur", () => { release(); pause(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) { release(); pause(); } });

function makePad() {
  byId("pad").replaceChildren(...about.buttons.map((button, place) => {
    const node = document.createElement("button");
    node.type = "button";
    node.tabIndex = -1;
    node.append(button.word + " ");
    if (button.codes.length) {
      const key = document.createElement("kbd");
      key.textContent = SYMBOLS[button.codes[0]] || button.codes[0].replace(/^(Key|Digit)/, "");
      node.append(key);
    }
    node.addEventListener("pointerdown", event => {
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      go();
      fingers.set(event.pointerId, place);
      press(place);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      node.addEventListener(end, event => { if (fingers.delete(event.pointerId)) lift(place); });
    }
    return node;
  }));
}

// ---- what is seen

function begin(words) {
  about = words;
  document.body.classList.remove("away");
  document.title = `${about.title} · Flipbook player`;
  byId("title").textContent = about.title;
  byId("kind").textContent = about.is_dream ? "a dream" : "the engine";
  byId("kind").hidden = false;
  byId("notice").textContent = about.notice;
  byId("notice").hidden = !about.notice;
  byId("dream-name").textContent = about.is_dream ? "Dream" : "Game";
  byId("dream-name").title = `seed ${about.seed}`;
  byId("random").textContent = { ball: "start or serve", grid: "start or door" }[about.parts[1]] || "start";
  byId("sampler").hidden = !about.is_dream;
  byId("agreement").hidden = !about.parts.length;
  byId("no-reader").hidden = about.parts.length > 0 || !about.has_twin;
  byId("toggle").hidden = !about.has_twin;
  byId("steps").value = about.num_steps;
  byId("noise").value = about.context_noise;
  for (const canvas of [picture, twin]) [canvas.width, canvas.height] = [about.width, about.height];
  [image, twinImage] = [picture, twin].map(canvas => canvas.getContext("2d").createImageData(about.width, about.height));
  showEngine(about.has_twin && about.is_dream);
  makePad();
  makeTable();
  showValues();
  cover("Click to play", "or press a key");
  byId("cover").onclick = go;
  picture.focus({ preventScroll: true });
}

function cover(title, text, slim = false) {
  byId("cover").classList.toggle("slim", slim);
  byId("cover-title").textContent = title;
  byId("cover-text").textContent = text;
  byId("cover").hidden = false;
}

let silence = 0;
function say(words) {
  byId("says").textContent = words;
  clearTimeout(silence);
  silence = setTimeout(() => { byId("says").textContent = ""; }, 8000);
}

function draw(canvas, target, pixels) {
  const data = target.data;
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    data[to] = pixels[from];
    data[to + 1] = pixels[from + 1];
    data[to + 2] = pixels[from + 2];
    data[to + 3] = 255;
  }
  canvas.getContext("2d").putImageData(target, 0, 0);
}

function makeTable() {
  byId("parts").replaceChildren(...about.parts.map(part => {
    const row = document.createElement("tr"), name = document.createElement("th");
    name.scope = "row";
    name.textContent = part;
    row.append(name, ...Array.from({ length: 4 }, () => document.createElement("td")));
    return row;
  }));
}

function drawAudit(buffer, view, number) {
  const numbers = view.getUint8(1), cells = byId("parts").querySelectorAll("td");
  for (let k = 0; k < numbers; k++) {
    const rate = view.getFloat32(8 + 4 * k, true);
    cells[k].textContent = Number.isNaN(rate) ? "–" : `${rate < 1 ? Math.min(Math.round(rate * 100), 99) : 100} %`;
    cells[k].className = Number.isNaN(rate) ? "" : rate >= 0.95 ? "good" : rate >= 0.8 ? "fair" : "bad";
  }
  byId("parts").dataset.number = number;
  const pixels = new Uint8Array(buffer, 8 + 4 * numbers);
  twin.classList.toggle("lost", !pixels.length);
  if (pixels.length) draw(twin, twinImage, pixels);
}

function resize() {
  if (!about) return;
  const room = byId("stage").clientWidth, screens = engineShown ? 2 : 1;
  const side = Math.min(LARGEST, Math.max(SMALLEST, innerHeight - AROUND), (room - 18 * (screens - 1)) / screens);
  const exact = side / Math.max(about.width, about.height);
  const scale = exact < 3 ? exact : Math.floor(2 * exact) / 2; // pixels of one size, where there is room for it
  for (const canvas of [picture, twin]) {
    canvas.style.width = `${about.width * scale}px`;
    canvas.style.height = `${about.height * scale}px`;
  }
}
window.addEventListener("resize", resize);

// ---- commands

function restart() {
  send({ do: "restart" });
  go();
}

function showEngine(shown) {
  engineShown = shown;
  byId("engine").hidden = !shown;
  byId("toggle").setAttribute("aria-pressed", shown);
  resize();
}

function toggle() {
  if (about && about.has_twin) showEngine(!engineShown);
}

function setRecording(frames) {
  recording = frames;
  byId("record").setAttribute("aria-pressed", frames > 0);
  byId("record").textContent = frames ? `Stop and save (${frames} frames)` : "Record";
}

function record() {
  if (!isOpen()) return;
  if (recording) {
    send({ do: "save video", fps: Number(byId("clock").value) });
    say("The video is being written …");
    setRecording(0);
  } else {
    send({ do: "record" });
    setRecording(1);
    go();
  }
}

function save(buffer, view) {
  const length = view.getUint8(1), name = new TextDecoder().decode(new Uint8Array(buffer, 2, length));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([new Uint8Array(buffer, 2 + length)]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  say(`Saved as ${name}.` + (name.endsWith(".json") ? ` Played again by: flipbook play --replay ${name}` : ""));
}

function showValues() {
  byId("clock-value").textContent = `${byId("clock").value} fps`;
  byId("steps-value").textContent = byId("steps").value;
  byId("noise-value").textContent = Number(byId("noise").value).toFixed(2);
}

function settings() {
  send({ do: "settings", num_steps: Number(byId("steps").value), context_noise: Number(byId("noise").value) });
}

for (const id of ["clock", "steps", "noise"]) {
  byId(id).addEventListener("input", showValues);
  byId(id).addEventListener("change", id === "clock" ? tick : settings);
  byId(id).addEventListener("pointerup", () => picture.focus({ preventScroll: true }));
}
for (const [id, act] of [["pause", () => running ? pause() : go()], ["restart", restart], ["toggle", toggle],
                         ["record", record], ["log", () => send({ do: "save log" })]]) {
  byId(id).addEventListener("click", () => { act(); picture.focus({ preventScroll: true }); });
}
picture.addEventListener("pointerdown", () => go());
connect(false);
