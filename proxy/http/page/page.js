// Asks each second while somebody looks, and says so when nobody answers.

const EVERY_MS = 1000;
const PATIENCE_MS = 4000;

const overview = new Overview();
const connections = new Connections();
const listeners = [];
let last = null;
let gone = null;
let timer = 0;
let asking = false;

function show(status) {
  // Another process, perhaps of another version: what was known is not of it.
  if (last && last.version !== status.version) return location.reload();
  if (last && last.started !== status.started) {
    connections.forget();
    last = null;
    return askNow();
  }
  last = status;
  overview.show(status);
  connections.show(status);
  setPairs(byId("rest"), restPairs(status));
  for (const tell of listeners) tell(status);
}

function back() {
  if (gone) overview.say("The sidecar answers again");
  gone = null;
  byId("gone").hidden = true;
  document.body.classList.remove("stale");
  setMark(byId("pulse-mark"), "well");
  const beat = byId("pulse-mark");
  beat.classList.remove("beat");
  void beat.offsetWidth;
  beat.classList.add("beat");
  setText(byId("pulse"), `live ${new Date(last.now).toISOString().slice(11, 19)}`);
}

function lost() {
  gone ??= new Date();
  const since = gone.toISOString();
  const words = `since ${clock(since, Date.now())}, ${lasting((Date.now() - gone) / 1000)}.`;
  setText(byId("gone-words"), `It has not answered ${words} ${last ? `What is shown below is of ${clock(last.now, Date.now())}. ` : ""}It is asked again every second. Is the pod running? A port that was forwarded may have to be forwarded anew.`);
  byId("gone").hidden = false;
  document.body.classList.add("stale");
  setMark(byId("pulse-mark"), "broken");
  setText(byId("pulse"), "no answer");
  document.title = "No answer – bss-sidecar";
  overview.say("The sidecar does not answer");
  setIcon("broken");
}

async function ask() {
  clearTimeout(timer);
  if (document.hidden || asking) return;
  asking = true;
  const status = await fetched();
  asking = false;
  timer = setTimeout(ask, EVERY_MS);
  if (!status) return lost();
  show(status);
  if (last) back();
}

// The status, or `null` when nobody answers as the sidecar does.
async function fetched() {
  try {
    const reply = await fetch(`/v1/status?since=${connections.since}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

function askNow() {
  clearTimeout(timer);
  timer = setTimeout(ask, 0);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : askNow()));
ask();
