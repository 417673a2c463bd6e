// Figures and states in words.

const STATES = { broken: "broken", degraded: "degraded", soon: "needs attention soon", well: "well" };
const BREAKERS = {
  closed: ["well", "closed: traffic flows"],
  open: ["broken", "open: nothing leaves"],
  half_open: ["degraded", "half open: a probe may leave"],
  forced_open: ["broken", "forced open: nothing leaves"],
  forced_closed: ["soon", "forced closed: all is sent"],
};

// "42 s", "4 min", "3 h 12 min", "29 days": never more than two units.
function lasting(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 100) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

// "03:12:07", with the date unless it is of the day of `now`.
function clock(iso, now) {
  const text = new Date(iso).toISOString();
  const today = new Date(now).toISOString().slice(0, 10);
  const time = text.slice(11, 19);
  return text.startsWith(today) ? time : `${text.slice(0, 10)} ${time}`;
}

function milliseconds(value) {
  if (value == null) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(value >= 10000 ? 0 : 1)} s`;
  return value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}

const count = (number) => number.toLocaleString("en-GB");
const several = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;
const secondsUntil = (iso, now) => (new Date(iso) - new Date(now)) / 1000;
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function left(iso, now) {
  const seconds = secondsUntil(iso, now);
  return seconds < 0 ? `ended ${lasting(-seconds)} ago` : lasting(seconds);
}
