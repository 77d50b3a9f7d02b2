import react from "@vitejs/plugin-react";
import { defineConfig, mergeConfig } from "vite";
import { shared } from "../vite.shared.ts";

export default defineConfig(mergeConfig(shared("react"), { plugins: [react()] }));
