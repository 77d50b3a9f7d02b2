import type { UserConfig } from "vite";

const service = "http://localhost:8000";

/** What each page needs: its own folder's URL, and in development the service on the same origin. */
export const shared = (name: string): UserConfig => ({
  base: `/${name}/`,
  server: { proxy: { "/auth": service, "/api": service } },
});
