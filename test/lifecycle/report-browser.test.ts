/**
 * The report as a reader's browser shows it, and the formats of stacks as speedscope reads them: neither shares a line
 * with what wrote them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderCollapsed } from '../../dist/report/collapsed-stacks.js';
import { toCpuProfile } from '../../dist/report/cpuprofile.js';
import { formatValue } from '../../dist/report/format.js';
import { renderHtml } from '../../dist/report/html.js';
import { renderPprof } from '../../dist/report/pprof.js';
import { Chromium, hasChromium } from '../fixtures/chromium.js';
import { environment, profiles, result, stats } from '../unit/report/sample.js';

describe.skipIf(!hasChromium)('in Chromium', () => {
  let browser: Chromium;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sysopt-browser-'));
    browser = await Chromium.start();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  describe('the report', () => {
    const frame = (name: string) =>
      `[...document.querySelectorAll('.flame .f')].find((each) => each.textContent.trim() === ${JSON.stringify(name)})`;
    const visibleFrames = `[...document.querySelector('.flame').querySelectorAll('.f')].filter((each) => !each.hidden).length`;

    beforeAll(async () => {
      const lane = { stepMs: 1000, onCpu: [0.9, 0.5, 0.7], runnable: [0, 0.2, 0.1] };
      const newest = { ...result, threads: result.threads!.map((thread) => ({ ...thread, lane })) };
      const older = { ...result, id: 'cpu-older' };
      const memory = { ...result, id: 'memory-1', type: 'memory' as const };
      const path = join(folder, 'report.html');
      writeFileSync(
        path,
        renderHtml({ results: [newest, memory], profiles, stats, environment, against: older }),
      );
      await browser.open(path);
    });

    it('asks for nothing but itself, and raises nothing', () => {
      expect(browser.requested).toHaveLength(1);
      expect(browser.problems).toEqual([]);
    });

    it('shows every part, each with an extent, none wider than the window', async () => {
      for (const part of ['.flame', '.chart canvas', '.lane svg', '#findings', '#difference', '#metrics']) {
        expect(
          await browser.evaluate<number>(`document.querySelector('${part}').getBoundingClientRect().height`),
          part,
        ).toBeGreaterThan(10);
      }
      expect(
        await browser.evaluate(
          `document.documentElement.scrollWidth <= document.documentElement.clientWidth`,
        ),
      ).toBe(true);
    });

    it('zooms into a frame by a click, out by the button, and in again by a key', async () => {
      const all = await browser.evaluate<number>(visibleFrames);
      await browser.evaluate(`${frame('findCustomer')}.click()`);
      expect(await browser.evaluate<number>(visibleFrames)).toBeLessThan(all);
      expect(await browser.evaluate(`${frame('findCustomer')}.style.width`)).toBe('100%');
      expect(await browser.evaluate(`document.querySelector('.flame-detail').textContent`)).toContain(
        'findCustomer',
      );
      await browser.evaluate(`document.querySelector('.flame-reset').click()`);
      expect(await browser.evaluate(visibleFrames)).toBe(all);
      await browser.press('ArrowDown', 'ArrowDown', 40);
      await browser.press('Enter', 'Enter', 13);
      expect(await browser.evaluate(`document.querySelector('.flame-reset').hidden`)).toBe(false);
      await browser.press('Escape', 'Escape', 27);
      expect(await browser.evaluate(visibleFrames)).toBe(all);
    });

    it('counts what a search finds', async () => {
      await browser.evaluate(`document.querySelector('.flame .f').focus()`);
      await browser.press('/', 'Slash', 191);
      for (const letter of 'findcust') await browser.press(letter);
      expect(await browser.evaluate(`document.querySelector('.flame-matches').textContent`)).toMatch(
        /^[1-9]\d* frames?, \d/,
      );
      expect(await browser.evaluate(`${frame('findCustomer')}.classList.contains('hit')`)).toBe(true);
      await browser.press('Escape', 'Escape', 27);
      expect(await browser.evaluate(`document.querySelectorAll('.hit').length`)).toBe(0);
    });

    const captions = `[...document.querySelectorAll('#timeline figcaption')].map((each) => each.textContent)`;
    const plots = `[...document.querySelectorAll('#timeline .u-over')]`;
    const mouse = async (type: Parameters<Chromium['mouse']>[0], share: number) => {
      const [x, y] = await browser.evaluate<[number, number]>(`(() => {
        const box = ${plots}[0].getBoundingClientRect();
        return [box.left + box.width * ${share}, box.top + box.height / 2];
      })()`);
      await browser.mouse(type, x, y);
      await browser.draw();
    };

    it('reads all charts of a run at the place of the pointer, in the units of the page', async () => {
      await browser.evaluate(`document.querySelector('#timeline').scrollIntoView()`);
      await browser.draw();
      const before = await browser.evaluate<string[]>(captions);
      expect(before.length).toBeGreaterThan(1);
      expect(await browser.evaluate(`${plots}.length`)).toBe(before.length);
      await mouse('mouseMoved', 0.3);
      await mouse('mouseMoved', 0.001);
      const during = await browser.evaluate<string[]>(captions);
      expect(during).toContain('eventLoop.utilization94 %at 0 ms');
      expect(during).toContain(`heap.used${formatValue(140e6, 'bytes')}at 0 ms`);
      expect(during).toContain(`eventLoop.delay.p99${formatValue(40, 'ms')}at 0 ms`);
      await mouse('mouseMoved', -1);
      expect(await browser.evaluate(captions)).toEqual(before);
    });

    it('keeps the means where the colours change while a pointer reads', async () => {
      await browser.evaluate(`document.querySelector('#timeline').scrollIntoView()`);
      await mouse('mouseMoved', -1);
      const before = await browser.evaluate<string[]>(captions);
      await mouse('mouseMoved', 0.3);
      await mouse('mouseMoved', 0.001);
      expect(await browser.evaluate<string[]>(captions)).toContain('eventLoop.utilization94 %at 0 ms');
      const soft = `getComputedStyle(document.documentElement).getPropertyValue('--soft')`;
      const light = await browser.evaluate<string>(soft);
      await browser.colourScheme('dark');
      await browser.draw();
      expect(await browser.evaluate<string>(soft)).not.toBe(light);
      await mouse('mouseMoved', -1);
      expect(await browser.evaluate(captions)).toEqual(before);
      await browser.colourScheme('light');
      await browser.draw();
      expect(await browser.evaluate(captions)).toEqual(before);
    });

    it('names each chart once to a screen reader, as an image', async () => {
      const roles = `[...document.querySelectorAll('#timeline .chart')].map((chart) =>
        [chart, ...chart.querySelectorAll('[aria-label]')].filter((each) => each.ariaLabel && each.checkVisibility()).map(({ role }) => role).join())`;
      expect(new Set(await browser.evaluate<string[]>(roles))).toEqual(new Set(['img']));
    });

    it('zooms all charts of a run by dragging over one, and shows the whole run again by the button', async () => {
      const reset = `document.querySelector('#timeline .time-line-bar button')`;
      const drawn = () =>
        browser.evaluate<string[]>(
          `[...document.querySelectorAll('#timeline canvas')].map((each) => each.toDataURL())`,
        );
      const whole = await drawn();
      expect(await browser.evaluate(`${reset}.hidden`)).toBe(true);
      await mouse('mouseMoved', 0.3);
      await mouse('mousePressed', 0.3);
      await mouse('mouseMoved', 0.6);
      await mouse('mouseReleased', 0.6);
      expect(await browser.evaluate(`${reset}.hidden`)).toBe(false);
      const zoomed = await drawn();
      zoomed.forEach((image, index) => expect(image).not.toBe(whole[index]));
      await browser.evaluate(`${reset}.click()`);
      await browser.draw();
      expect(await browser.evaluate(`${reset}.hidden`)).toBe(true);
      expect(await drawn()).toEqual(whole);
    });
  });

  describe('speedscope', () => {
    const page = join(
      dirname(createRequire(import.meta.url).resolve('speedscope/package.json')),
      'dist/release',
    );

    it.each([
      ['profile.cpuprofile', () => Buffer.from(JSON.stringify(toCpuProfile(result)))],
      ['profile.collapsed.txt', () => Buffer.from(renderCollapsed(result))],
      ['profile.pb.gz', () => Buffer.from(renderPprof(result))],
    ])('reads %s, with every function of the call tree', async (name, render) => {
      // As its own command line does: a script that hands the file over.
      const script = join(folder, `${name}.js`);
      writeFileSync(
        script,
        `speedscope.loadFileFromBase64(${JSON.stringify(name)}, ${JSON.stringify(render().toString('base64'))})`,
      );
      await browser.open(join(page, 'index.html'), `#localProfilePath=${script}`);
      await browser.until(`document.title.endsWith(' - speedscope')`);
      // The view by function is a table.
      const functions = ['findCustomer', 'groupByCustomer', 'formatMoney'];
      const hasAll = `(text => ${JSON.stringify(functions)}.every((each) => text?.includes(each)))(document.body.innerText)`;
      for (let tries = 0; tries < 40 && !(await browser.evaluate<boolean>(hasAll)); tries += 1) {
        await browser.draw();
        await browser.press('3', 'Digit3');
        await browser.draw();
        await delay(100);
      }
      expect(await browser.evaluate<boolean>(hasAll)).toBe(true);
      expect(browser.problems.filter((problem) => !/favicon|WebGL/.test(problem))).toEqual([]);
    });
  });
});
