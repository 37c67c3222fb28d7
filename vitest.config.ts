import { defineConfig } from 'vitest/config';

// Tests exercise the compiled package: workers and fresh processes can only load compiled modules, so
// testing the sources through a transform would test something no user runs.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests of processes and signals meet a shared machine's stalls; what is broken fails twice.
    retry: process.env.CI ? 1 : 0,
    server: { deps: { external: [/\/dist\//] } },
  },
});
