import createClient from "openapi-fetch";
import { auth } from "./auth";
import type { paths } from "./schema";

/** Typed by the service's own description: `npx openapi-typescript http://localhost:8000/openapi.json -o schema.d.ts`. */
export const client = createClient<paths>({ baseUrl: "/", fetch: (request) => auth.fetch(request) });
