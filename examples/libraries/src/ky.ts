import ky from "ky";
import { auth } from "./auth";

/** `auth.fetch` adds the token and renews it, so ky needs no hooks. */
export const api = ky.create({ prefixUrl: "/api", fetch: auth.fetch });
