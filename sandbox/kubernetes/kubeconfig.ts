/** How a user comes in. */
export type Credential = { token: string } | { cert: string; key: string };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig for kubectl and every other client, as YAML (JSON is YAML). */
export function kubeconfig(of: {
  server: string;
  authority: string;
  user: string;
  credential: Credential;
}): string {
  const { server, authority, user, credential } = of;
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'sandbox', cluster: { server, 'certificate-authority-data': base64(authority) } }],
      users: [
        {
          name: user,
          user:
            'token' in credential
              ? { token: credential.token }
              : {
                  'client-certificate-data': base64(credential.cert),
                  'client-key-data': base64(credential.key),
                },
        },
      ],
      contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user, namespace: 'default' } }],
      'current-context': 'sandbox',
      preferences: {},
    },
    null,
    2,
  )}\n`;
}
