import { z } from 'zod';

type Source = Readonly<Record<string, string | undefined>>;

const shape = z.object({
  QUAZZAR_PANEL: z.string().optional(),
  QUAZZAR_TOKEN: z.string().optional(),
  QUAZZAR_NAME: z.string().optional(),
  QUAZZAR_ISSUER: z.string().optional(),
  QUAZZAR_HOSTNAME: z.string().optional(),
  QUAZZAR_STATE: z.string().optional(),
  QUAZZAR_BASE_URL: z.string().optional(),
  QUAZZAR_REDIRECT_URIS: z.string().optional(),
  QUAZZAR_SIGN_IN: z.string().optional(),
  QUAZZAR_OS_VERSION: z.string().optional(),
  QUAZZAR_APPS_PATH: z.string().optional(),
  QUAZZAR_SIMULATE: z.string().optional(),
  QUAZZAR_LOG_LEVEL: z.string().optional(),
  XDG_STATE_HOME: z.string().optional(),
  HTTP_PROXY: z.string().optional(),
  HTTPS_PROXY: z.string().optional(),
  NO_PROXY: z.string().optional(),
  http_proxy: z.string().optional(),
  https_proxy: z.string().optional(),
  no_proxy: z.string().optional(),
});

/** The agent's settings as the environment gives them, unchecked: settings.ts judges them together with the flags. */
export type AgentEnv = z.infer<typeof shape>;

/** Reads the agent's environment. Empty counts as absent, as docker-compose passes it. */
export function readAgentEnv(source: Source = process.env): AgentEnv {
  return shape.parse(Object.fromEntries(Object.entries(source).filter(([, value]) => value !== '')));
}
