/** Writes docs/errors.md from the catalogue in src/errors.ts. Run after a change to it: `npm run docs:errors`. */
import { writeFileSync } from 'node:fs';
import { errorCatalogue } from '../dist/errors.js';

const sections = errorCatalogue().map(
  ({ code, className, message, remedy }) => `### ${code}

\`${className}\`

> ${message}

${remedy === '{remedy}' || remedy === '{suggestion}' ? 'What to do depends on the case; the message says it.' : remedy}
`,
);

writeFileSync(
  new URL('../docs/errors.md', import.meta.url),
  `# Errors

Every error that the package throws on purpose is an \`OptimizerError\` with a \`code\`, a message that ends with what
to do next (also alone, as \`hint\`), the original error as \`cause\` where there is one, and \`errno\` and \`syscall\`
where the system refused. Words in braces are filled in.

This page is written from \`src/errors.ts\` by \`npm run docs:errors\`.

${sections.join('\n')}`,
);
