import { serveUnderLoad } from '../load.js';

class Report {
  #rows = Array.from({ length: 9000 }, (_, i) => ({
    region: `r${i % 40}`,
    amount: (i * 37) % 1000,
    day: i % 365,
  }));
  #median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }
  summary() {
    const regions = new Set(this.#rows.map(({ region }) => region));
    return [...regions].map((region) => {
      const amounts = this.#rows.filter((row) => row.region === region).map(({ amount }) => amount);
      return { region, median: this.#median(amounts), best: Math.max(...amounts) };
    });
  }
}
const report = new Report();
serveUnderLoad((_request, response) => response.end(JSON.stringify(report.summary())), {
  ratePerSecond: 120,
});
