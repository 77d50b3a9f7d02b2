import axios, { type InternalAxiosRequestConfig } from "axios";
import { auth } from "./auth";

export const api = axios.create({ baseURL: "/api" });

api.interceptors.request.use(async (config) => {
  const token = await auth.token();
  if (token) config.headers.set("Authorization", `Bearer ${token}`);
  return config;
});

const retried = new WeakSet<InternalAxiosRequestConfig>();

api.interceptors.response.use(undefined, async (error) => {
  if (!axios.isAxiosError(error) || error.response?.status !== 401 || !error.config) throw error;
  if (retried.has(error.config) || !(await auth.refresh())) throw error;
  // The session was revoked and renewed, or the computer slept: once more, with a new token.
  retried.add(error.config);
  return api.request(error.config);
});
