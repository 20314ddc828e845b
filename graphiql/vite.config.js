import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { defineConfig } from 'vite';

/** Drops the fonts that GraphiQL carries inside its style sheet: the reader's own take their place. */
const withoutEmbeddedFonts = {
  name: 'without-embedded-fonts',
  enforce: 'pre',
  transform(code, id) {
    if (id.endsWith('/graphiql/dist/style.css')) {
      return code.replaceAll(/@font-face\s*\{[^}]*url\(["']?data:[^}]*\}/g, '');
    }
  },
};

/** Leaves every file compressed under its own name, as the server keeps and sends it. */
const inBrotli = {
  name: 'in-brotli',
  apply: 'build',
  async writeBundle({ dir }, bundle) {
    const compress = async (name) => {
      const file = join(dir, name);
      await writeFile(file, await promisify(brotliCompress)(await readFile(file)));
    };
    await Promise.all(Object.keys(bundle).map(compress));
  },
};

export default defineConfig({
  // Every page finds its files beside itself, wherever it is served.
  base: './',
  logLevel: 'error',
  plugins: [withoutEmbeddedFonts, inBrotli],
  worker: { format: 'es' },
  build: {
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'openapi.html'] },
  },
});
