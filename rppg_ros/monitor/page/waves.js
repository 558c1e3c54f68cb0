// Draws a waveform that scrolls, and the trend of the last hour.

const SCALE = 2.6;        // deviations from the middle to the edge: a wave that its model is not sure of stays small
const KEEP_S = 60;        // of samples
const JUMP_S = 4;         // the clock of the picture jumps where it is further off than this
const SETTLE = 0.02;      // share of the way that its delay falls with each piece

export class Wave {
  constructor(canvas, seconds, colour) {
    this.canvas = canvas;
    this.seconds = seconds;
    this.colour = colour;
    this.pieces = [];
    this.delay = null;    // page's time less camera time, seconds, at which samples are shown
  }

  push(start, rate, samples) {
    const end = start + samples.length / rate;
    const last = this.pieces.at(-1);
    if (last && start < last.start - 1) this.pieces = [];   // a recording that began again
    this.pieces.push({ start, rate, samples, end });
    while (this.pieces.length && this.pieces[0].end < end - KEEP_S) this.pieces.shift();
    const lag = performance.now() / 1000 - start;            // so late comes a piece's first sample
    if (this.delay === null || Math.abs(lag - this.delay) > JUMP_S) this.delay = lag;
    else if (lag > this.delay) this.delay = lag;
    else this.delay += (lag - this.delay) * SETTLE;
  }

  draw(now) {
    const context = fitted(this.canvas);
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    if (this.delay === null) return;
    const right = now / 1000 - this.delay;
    const x = (t) => ((t - right) / this.seconds + 1) * width;
    const y = (v) => (0.5 - Math.max(-1, Math.min(1, v / SCALE)) * 0.47) * height;
    context.strokeStyle = colourOf(this.colour);
    context.lineWidth = 2 * (window.devicePixelRatio || 1);
    context.lineJoin = "round";
    context.beginPath();
    let end = null;
    for (const piece of this.pieces) {
      if (piece.end < right - this.seconds) continue;
      let pen = end !== null && Math.abs(piece.start - end) < 2 / piece.rate;
      for (let i = 0; i < piece.samples.length; i += 1) {
        const t = piece.start + i / piece.rate;
        if (t > right) break;
        const value = piece.samples[i];
        if (value === null) { pen = false; continue; }
        if (pen) context.lineTo(x(t), y(value)); else context.moveTo(x(t), y(value));
        pen = true;
      }
      end = piece.end;
    }
    context.stroke();
  }
}

export function drawTrend(canvas, points, colour) {
  const context = fitted(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const known = points.filter((point) => point[1] !== null);
  if (!known.length) return;
  const low = Math.floor(Math.min(...known.map((point) => point[2])) / 10) * 10;
  const high = Math.max(Math.ceil(Math.max(...known.map((point) => point[3])) / 10) * 10, low + 10);
  const last = points.at(-1)[0];
  const x = (t) => (1 - (last - t) / 3600) * (width - 8) + 4;
  const y = (v) => (1 - (v - low) / (high - low)) * (height - 24) + 12;
  context.fillStyle = colourOf("--faint");
  context.font = `${Math.round(11 * (window.devicePixelRatio || 1))}px system-ui, sans-serif`;
  context.fillText(String(high), 2, 12);
  context.fillText(String(low), 2, height - 2);
  context.strokeStyle = context.fillStyle = colourOf(colour);
  context.lineWidth = 2 * (window.devicePixelRatio || 1);
  for (const [t, middle, least, most] of known) {
    context.beginPath();
    context.moveTo(x(t), y(least));
    context.lineTo(x(t), y(most));
    context.stroke();
    context.beginPath();
    context.arc(x(t), y(middle), 3 * (window.devicePixelRatio || 1), 0, 7);
    context.fill();
  }
}

function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.round(Number(canvas.getAttribute("data-height") || 96) * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  return canvas.getContext("2d");
}

function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
