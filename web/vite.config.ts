import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** The built page is served by the node itself; in development the node's API is reached through a proxy. */
const node = process.env.SHIPRIDER_NODE ?? "http://127.0.0.1:8750";

export default defineConfig({
  plugins: [svelte()],
  base: "/",
  build: {
    outDir: "../src/shiprider/api/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: node, ws: true } } },
});
