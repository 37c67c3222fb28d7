import { basename, resolve } from 'node:path';
import { OptimizerError } from '../errors.js';
import { planLayout, type LayoutPlan, type PlanOptions } from '../memory/layout-planner.js';
import { layoutReport } from '../memory/layout-report.js';
import { cHeaderOf } from '../memory/struct/c-header.js';
import type { FieldNode, StructNode } from '../memory/struct/field-types.js';
import type { StructPacking } from '../model/choice.js';
import { formatCount } from '../report/format.js';
import { layoutPage } from '../report/layout-page.js';
import { layoutSvg, type NamedPlan } from '../report/layout-drawing.js';
import { EXIT, UsageError } from './exit-code.js';
import { readLayoutInput, type RecordField, type RecordSource } from './layout-input.js';
import { writeOutput } from './output-file.js';
import type { Session, VerbOutcome } from './session.js';
import { visible } from './terminal.js';

export interface LayoutVerbOptions {
  readonly format: 'text' | 'json' | 'html' | 'svg';
  readonly packing: StructPacking;
  readonly cacheLine: 64 | 128;
  readonly hot: readonly string[];
  readonly only: readonly string[];
  readonly define: Readonly<Record<string, string>>;
  readonly out?: string;
  readonly check: boolean;
  readonly all: boolean;
}

interface Planned extends NamedPlan {
  readonly source: RecordSource;
  /** Bytes that reordering alone would save, whatever packing was asked for. */
  readonly removableBytes: number;
}

/**
 * `sysopt layout`: plans every record of C headers and JSON descriptions. With `--check` a gate: it fails where
 * reordering would make a record smaller, as fieldalignment does for Go.
 */
export async function layoutVerb(
  files: readonly string[],
  options: LayoutVerbOptions,
  { terminal }: Session,
): Promise<VerbOutcome> {
  if (files.length === 0) {
    throw new UsageError('Give a file to plan.', 'For example: sysopt layout include/order.h');
  }
  const inputs = await Promise.all(files.map((file) => readLayoutInput(file, options.define)));
  const skipped = inputs.flatMap((input) => input.skipped);
  const records = selected(
    inputs.flatMap((input) => input.records),
    options,
  );
  const planned = records.map((source) => planOf(source, options));
  const removable = planned.filter(({ removableBytes }) => removableBytes > 0);
  const summary = {
    records: planned.length,
    removable: removable.length,
    removableBytes: removable.reduce((sum, each) => sum + each.removableBytes, 0),
    skipped: skipped.length,
  };

  if (options.format === 'html')
    terminal.print(layoutPage(planned, files.map((file) => basename(file)).join(', ')).trimEnd());
  else if (options.format === 'svg') terminal.print(layoutSvg(planned).trimEnd());
  else if (options.check) printGate(removable, terminal);
  else printReports(planned, options.all, terminal);
  for (const each of skipped) {
    terminal.warn(`${each.file}:${each.line}: struct ${each.name} is left out: ${each.reason}.`);
  }
  if (options.format === 'text') {
    terminal.print(
      removable.length === 0
        ? `${formatCount(planned.length, 'record')}: none can be smaller.`
        : `${removable.length} of ${formatCount(planned.length, 'record')} can be smaller, by ${summary.removableBytes} B for one of each.`,
    );
  }
  const header = options.out === undefined ? null : await writeHeader(options.out, planned);
  if (header !== null && options.format === 'text') terminal.print(`Wrote ${visible(header)}.`);
  return {
    result: {
      summary,
      header,
      records: planned.map(({ name, source, plan, removableBytes }) => ({
        name,
        file: source.file,
        line: source.line,
        removableBytes,
        ...plan,
      })),
      skipped,
    },
    exitCode: options.check && removable.length > 0 ? EXIT.gate : EXIT.ok,
  };
}

/** With `--only`, the records of those names. */
function selected(
  records: readonly RecordSource[],
  { only, hot }: LayoutVerbOptions,
): readonly RecordSource[] {
  const missing = only.find((name) => !records.some((record) => record.name === name));
  if (missing !== undefined) {
    const names = records.map(({ name }) => name);
    throw new UsageError(
      `There is no record "${missing}".`,
      `There are ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`,
    );
  }
  const chosen = only.length === 0 ? records : records.filter(({ name }) => only.includes(name));
  const cold = hot.find((field) => !chosen.some((record) => hotOf(record, [field]).length > 0));
  if (cold !== undefined) {
    throw new UsageError(`No record has the field "${cold}" of --hot.`, 'Name it as field or record.field.');
  }
  return chosen;
}

/** The fields of a record that `--hot` names, as `field` or `record.field`. */
function hotOf({ name, fields }: RecordSource, hot: readonly string[]): string[] {
  return fields
    .map((field) => field.name)
    .filter((field) => hot.includes(field) || hot.includes(`${name}.${field}`));
}

function planOf(source: RecordSource, { packing, cacheLine, hot }: LayoutVerbOptions): Planned {
  const named = hotOf(source, hot);
  const options: PlanOptions = {
    structPacking: packing,
    cacheLineBytes: cacheLine,
    ...(source.frequencies !== undefined && { frequencies: source.frequencies }),
    ...(source.writers !== undefined && { writers: source.writers }),
    ...(named.length > 0 ? { hot: named } : source.hot !== undefined && { hot: source.hot }),
  };
  try {
    const plan = planLayout(source.fields, options);
    const smallest = packing === 'minimal_padding' && !options.writers ? plan : planLayout(source.fields);
    return { name: source.name, source, plan, removableBytes: smallest.savings.sizeBytes };
  } catch (error) {
    if (!(error instanceof OptimizerError)) throw error;
    throw new UsageError(
      `${source.file}:${source.line}: record ${source.name}: ${error.message}`,
      error.hint,
    );
  }
}

/** As compilers print: a place, then what is wrong there. */
function printGate(removable: readonly Planned[], terminal: Session['terminal']): void {
  for (const { name, source, plan, removableBytes } of removable) {
    const { moved } = planLayout(source.fields);
    const { sizeBytes } = plan.declared;
    terminal.print(
      visible(
        `${source.file}:${source.line}: struct ${name}: ${sizeBytes} B could be ${sizeBytes - removableBytes} B; ` +
          `move ${moved.join(', ')}`,
      ),
    );
  }
}

function printReports(planned: readonly Planned[], all: boolean, terminal: Session['terminal']): void {
  // A plan that changes nothing says nothing, unless it was asked for.
  const told = planned.filter(({ plan }) => all || planned.length === 1 || isChanged(plan));
  for (const { name, source, plan } of told) {
    terminal.print(visible(`${source.file}:${source.line}`));
    terminal.print(visible(layoutReport(plan, name)));
    terminal.print();
  }
}

function isChanged({ moves, savings }: LayoutPlan): boolean {
  return moves > 0 || savings.sizeBytes !== 0;
}

async function writeHeader(out: string, planned: readonly Planned[]): Promise<string> {
  const path = resolve(out);
  const nodes = planned.map(nodeOf);
  const byName = new Map(nodes.map((node) => [node.name, JSON.stringify(node)]));
  // A record within another keeps the layout that the outer one was planned with; its own may have changed.
  const inner = (node: FieldNode): FieldNode => {
    if (node.kind === 'array') return { ...node, element: inner(node.element) };
    if (node.kind !== 'struct') return node;
    const fields = node.fields.map((field) => ({ ...field, node: inner(field.node) }));
    const same = { ...node, fields };
    const own = byName.get(node.name);
    return own === undefined || own === JSON.stringify(same)
      ? same
      : { ...same, name: `${node.name}_as_declared` };
  };
  const settled = nodes.map((node) => ({
    ...node,
    fields: node.fields.map((field) => ({ ...field, node: inner(field.node) })),
  }));
  return writeOutput(path, cHeaderOf(settled, basename(path).replace(/\.\w+$/, '')), '--out');
}

function nodeOf({ name, source, plan }: Planned): StructNode {
  const fields = new Map(source.fields.map((field) => [field.name, field]));
  return {
    kind: 'struct',
    name,
    sizeBytes: plan.sizeBytes,
    alignBytes: plan.alignBytes,
    fields: plan.fields.map(({ name: field, offsetBytes }) => {
      const known = fields.get(field) as RecordField;
      return { name: field, offsetBytes, node: known.node ?? storage(known) };
    }),
  };
}

/** Bytes of that size and alignment, for a member of which no more is known: a union, a type of another library. */
function storage({ sizeBytes, alignBytes }: RecordField): FieldNode {
  const scalars = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const;
  const widths = [8, 4, 2, 1] as const;
  const width = widths.find((bytes) => bytes <= alignBytes && sizeBytes % bytes === 0) ?? 1;
  return {
    kind: 'array',
    element: { kind: 'scalar', scalar: scalars[width] },
    count: sizeBytes / width,
  };
}
