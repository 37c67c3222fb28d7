/**
 * HTML that escapes by default: whatever is put into an `html` template is text, unless it is itself the
 * result of one. So a function named `</script><script>` cannot become markup by an oversight.
 */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

export type Insertable = Markup | string | number | null | undefined | false | readonly Insertable[];

/**
 * Builds markup; interpolated strings and numbers are escaped, arrays joined, null, undefined and false dropped.
 *
 * @example
 * html`<b>${'a < b'}</b>`.text // '<b>a &lt; b</b>'
 */
export function html(template: TemplateStringsArray, ...values: readonly Insertable[]): Markup {
  let text = template[0] ?? '';
  values.forEach((value, index) => {
    text += render(value) + (template[index + 1] ?? '');
  });
  return new Markup(text);
}

/** Marks a constant of this package (its style sheet, its script) as markup. Never for data. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** Data for the page's script, as JSON that nothing in it can break out of. */
export function embeddedJson(className: string, value: unknown): Markup {
  const json = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new Markup(`<script type="application/json" class="${escapeHtml(className)}">${json}</script>`);
}

/** Text for an HTML body or a quoted attribute. Control characters, which HTML forbids, become visible. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (character) => {
    const entity = ENTITIES[character];
    return entity ?? '\ufffd';
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function render(value: Insertable): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map(render).join('');
}
