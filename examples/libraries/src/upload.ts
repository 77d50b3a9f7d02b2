import { auth } from "./auth";

/** Send a file and report its progress, which `fetch` cannot do. Resolves to the status. */
export async function upload(url: string, file: Blob, onProgress: (part: number) => void): Promise<number> {
  const token = await auth.token();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new Error(`${url} cannot be reached`));
    request.open("POST", url);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.send(file);
  });
}
