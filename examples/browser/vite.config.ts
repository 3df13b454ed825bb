import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, type UserConfig } from 'vite';
import { buildKernels } from '../../src/simd/build.ts';

/** What a page must be served with to have shared memory, on any server. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Vite would replace a Node module by an empty one, and the page fail when it runs; this fails when it is built. */
function refuseNodeModules(): Plugin {
  return {
    name: 'refuse-node-modules',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!isBuiltin(source)) return;
      this.error(`${importer} imports ${source}, which a browser does not have.`);
    },
  };
}

export default defineConfig(async ({ mode }): Promise<UserConfig> => {
  await buildKernels();
  const headers = mode === 'not-isolated' ? {} : ISOLATION;
  return {
    base: './',
    plugins: [refuseNodeModules()],
    worker: { format: 'es', plugins: () => [refuseNodeModules()] },
    build: { target: 'es2022', assetsInlineLimit: 0 },
    server: { headers, fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] } },
    preview: { headers },
  };
});
