import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, mergeConfig } from "vite";
import { shared } from "../vite.shared.ts";

export default defineConfig(mergeConfig(shared("svelte"), { plugins: [svelte()] }));
