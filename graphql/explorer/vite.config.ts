import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  worker: { format: 'es' },
  server: { proxy: { '/api': 'http://127.0.0.1:8765', '/graphql': 'http://127.0.0.1:8765' } },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0, // no data: URL, so that font-src and img-src stay 'self'
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 6000,
    license: { fileName: 'about/licences.md' },
    rolldownOptions: {
      input: ['index.html', 'graphql.html'],
      onLog: (level, log, next) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') next(level, log);
      },
    },
  },
});
