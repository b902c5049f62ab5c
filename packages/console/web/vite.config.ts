import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The build has hashed names under `assets/`, which the server lets browsers keep for ever. */
export default defineConfig({
  base: "/",
  plugins: [react()],
  worker: { format: "es" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2023",
    // Browsers with light-dark(), so that it stays as written: its rewritten form does not follow the page's switch.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Files small enough to be inlined would be `data:` addresses, which the page's policy refuses for scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
});
