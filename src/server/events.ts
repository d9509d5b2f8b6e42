// Server-sent events to every open page.
import type { StudioEvent } from '../contract/studio.ts';

type Listener = (event: StudioEvent) => void;

/** Between two progress reports of one run; a page needs no more. */
const progressEveryMs = 200;
const pulseEveryMs = 15_000;

export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #waiting = new Map<number, StudioEvent>();
  readonly #timers = new Map<number, NodeJS.Timeout>();

  /** Progress of a running run is thinned out; a change of state goes out at once. */
  send(event: StudioEvent): void {
    if (event.type !== 'run' || event.run.state !== 'running') {
      if (event.type === 'run') this.#waiting.delete(event.run.id);
      this.#deliver(event);
      return;
    }
    const { id } = event.run;
    if (this.#timers.has(id)) {
      this.#waiting.set(id, event);
      return;
    }
    this.#deliver(event);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      const last = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (last !== undefined) this.send(last);
    }, progressEveryMs);
    timer.unref();
    this.#timers.set(id, timer);
  }

  /** An endless answer; ends when the page goes. */
  stream(signal: AbortSignal): Response {
    const encoder = new TextEncoder();
    let stop = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const write = (text: string): void => {
          try {
            controller.enqueue(encoder.encode(text));
          } catch {
            stop();
          }
        };
        const listener: Listener = (event) => write(`data: ${JSON.stringify(event)}\n\n`);
        const pulse = setInterval(() => write(': still here\n\n'), pulseEveryMs);
        pulse.unref();
        stop = (): void => {
          clearInterval(pulse);
          this.#listeners.delete(listener);
        };
        signal.addEventListener('abort', () => stop(), { once: true });
        this.#listeners.add(listener);
        write('retry: 1000\n\n');
      },
      cancel: () => stop(),
    });
    return new Response(body, {
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
    });
  }

  #deliver(event: StudioEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
