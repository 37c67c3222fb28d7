import { ListenerTrace } from '../activity/listener-trace.js';
import { Patches } from '../activity/patches.js';
import { PlaceResolver } from '../activity/summary.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';

/** Events of emitters whose listeners grow in number, with the place that adds them. */
export class ListenerSampler implements Sampler {
  readonly name = 'listeners';
  readonly #patches = new Patches();
  #trace: ListenerTrace | undefined;
  #window: SamplingWindow | undefined;

  /** A CPU profile is to cost next to nothing, and programs that add listeners all day do so for every request. */
  start(window: SamplingWindow): void {
    if (window.type === 'cpu' || window.type === 'thread') return;
    this.#window = window;
    this.#trace = new ListenerTrace();
    this.#trace.install(this.#patches);
    this.#patches.publish();
  }

  stop(gathered: Gathered): void {
    if (this.#trace === undefined) return;
    this.#patches.restore();
    const places = new PlaceResolver(this.#window!.sources);
    gathered.listeners = this.#trace
      .stop()
      .filter(({ first, last }) => last > first)
      .sort((a, b) => b.last - b.first - (a.last - a.first))
      .slice(0, this.#window!.maxFunctions)
      .map(({ site, ...growth }) => {
        const place = places.resolve(site);
        return place === null ? growth : { ...growth, location: place.location };
      });
  }
}
