import vue from "@vitejs/plugin-vue";
import { defineConfig, mergeConfig } from "vite";
import { shared } from "../vite.shared.ts";

export default defineConfig(mergeConfig(shared("vue"), { plugins: [vue()] }));
