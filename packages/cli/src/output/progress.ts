import { SingleBar } from "cli-progress";
import type { RunEvent } from "@modelyard/contracts";
import type { Terminal } from "../terminal.ts";
import { formatBytes, formatCount, formatMetric, formatSeconds } from "./numbers.ts";
import { sparkline } from "./sparkline.ts";

/** Shows how far something is: a bar for people, lines for pipes. */
export interface Progress extends Disposable {
  /** @param extra Shown beside the bar. */
  update(done: number, extra: string): void;
}

const lineEveryMs = 5000;

/** Starts showing progress towards a total on the error stream; with `quiet` nothing is shown. */
export const startProgress = (
  terminal: Terminal,
  what: { readonly label: string; readonly total: number; readonly unit: string; readonly quiet: boolean },
): Progress => {
  const started = performance.now();
  const rate = (done: number): number => done / Math.max((performance.now() - started) / 1000, 1e-3);
  const amount = what.unit === "B" ? formatBytes : formatCount;
  const facts = (done: number): string => {
    const perSecond = rate(done);
    const eta = perSecond > 0 ? formatSeconds((what.total - done) / perSecond) : "–";
    return `${amount(perSecond)}${what.unit === "B" ? "" : ` ${what.unit}`}/s, ETA ${eta}`;
  };
  if (what.quiet) return { update: () => {}, [Symbol.dispose]: () => {} };
  if (!terminal.interactive) {
    let last = performance.now();
    return {
      update: (done, extra) => {
        if (performance.now() - last < lineEveryMs && done < what.total) return;
        last = performance.now();
        terminal.err(`${what.label}: ${amount(done)} of ${amount(what.total)}, ${facts(done)}, ${extra.trim()}\n`);
      },
      [Symbol.dispose]: () => {},
    };
  }
  const bar = new SingleBar({
    format: `${what.label} {bar} {percentage}%  {facts}  {extra}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(what.total, 0, { facts: "", extra: "" });
  return {
    update: (done, extra) => bar.update(Math.min(done, what.total), { facts: facts(done), extra }),
    [Symbol.dispose]: () => bar.stop(),
  };
};

/** Shows a run as it goes. */
export interface RunReporter extends Disposable {
  readonly report: (event: RunEvent) => void;
}

/** Shows a run live from its events: a bar per epoch with the curve of the loss. */
export const createRunReporter = (
  terminal: Terminal,
  options: { readonly quiet: boolean; readonly batchSize: number },
): RunReporter => {
  let bar: Progress | null = null;
  let epochs = 1;
  let total = 0;
  const losses: number[] = [];
  const stop = (): void => {
    bar?.[Symbol.dispose]();
    bar = null;
  };
  const say = (text: string): void => {
    if (!options.quiet) terminal.err(text);
  };
  const step = (event: Extract<RunEvent, { type: "step" }>): void => {
    const samples = Math.min(event.step * options.batchSize, total);
    bar ??= startProgress(terminal, {
      label: `Epoch ${event.epoch}/${epochs}`,
      total,
      unit: "samples",
      quiet: options.quiet,
    });
    losses.push(event.metrics["loss"] ?? Number.NaN);
    const figures = Object.entries(event.metrics).map(([name, value]) => `${name} ${formatMetric(value)}`);
    bar.update(samples, `${figures.join("  ")}  ${terminal.interactive ? sparkline(losses, 20) : ""}`);
  };
  return {
    report: (event: RunEvent): void => {
      if (event.type === "started") {
        epochs = event.epochs;
        total = event.trainRows;
        say(`${event.summary}\n`);
      } else if (event.type === "step") step(event);
      else if (event.type === "epoch") {
        stop();
        const figures = Object.entries(event.metrics).map(([name, value]) => `${name} ${formatMetric(value)}`);
        say(
          `Epoch ${event.epoch}/${event.epochs} took ${formatSeconds(event.durationMs / 1000)}: ${figures.join("  ")}\n`,
        );
      } else if (event.type === "log") {
        stop();
        say(`${event.level}: ${event.message}\n`);
      } else if (event.type === "state" && event.reason !== null) {
        stop();
        say(`${event.state}: ${event.reason.detail}\n`);
      }
    },
    [Symbol.dispose]: stop,
  };
};
