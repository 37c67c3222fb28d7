/** What fresh processes load to run one variant of a benchmark case. Not part of the public interface. */
import { pathToFileURL } from 'node:url';
import { importCases, type BenchCase } from './bench-case.js';

/** Factory for `compare`: sets the case up and returns the variant bound to what the setup returned. */
export async function variant(file: string, index: number, name: string): Promise<() => unknown> {
  // Each side loads an instance of this module with a query of its own, and hands that on to the case.
  const side = new URL(import.meta.url).search;
  const cases = await importCases(`${pathToFileURL(file).href}${side}`, file);
  const { setup, variants } = cases[index] as BenchCase;
  const context = await setup?.();
  const run = variants[name]!;
  return () => run(context);
}
