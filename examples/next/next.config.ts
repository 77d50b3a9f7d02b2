import type { NextConfig } from "next";

const developing = process.env.NODE_ENV === "development";

const config: NextConfig = {
  basePath: "/next",
  output: developing ? undefined : "export",
  typescript: { ignoreBuildErrors: true }, // `npm run check` has found them
};

if (developing) {
  const service = "http://localhost:8000";
  config.rewrites = async () =>
    ["auth", "api"].map((path) => ({
      source: `/${path}/:rest*`,
      destination: `${service}/${path}/:rest*`,
      basePath: false,
    }));
}

export default config;
