const end = /\n-----END [A-Z ]*PRIVATE KEY-----$/;

/**
 * A private key as OpenSSH reads it, which takes a line break of Windows, an indentation or one missing at the end for a
 * fault of the key (`findings/`).
 */
export function keyLines(text: string): string {
  return `${bare(text)}\n`;
}

function bare(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

/** Why a key cannot be used by nobody but its text: it is cut off, or asks for a passphrase. */
export function keyFault(text: string): string | undefined {
  const key = bare(text);
  if (!end.test(key)) return 'It must be whole, from BEGIN to END';
  return hasPassphrase(key) ? 'It must have no passphrase' : undefined;
}

/** OpenSSH's own form names a cipher after its first words; others say so in their text. */
function hasPassphrase(key: string): boolean {
  if (!key.startsWith('-----BEGIN OPENSSH ')) return key.includes('ENCRYPTED');
  const [, body = ''] = /^-----.*-----\n([^-]*)\n-----/.exec(key) ?? [];
  const first = Buffer.from(body, 'base64').subarray(0, 64);
  const magic = 'openssh-key-v1\0';
  return (
    first.toString('latin1', 0, magic.length) === magic && cipherOf(first.subarray(magic.length)) !== 'none'
  );
}

function cipherOf(name: Buffer): string {
  return name.length < 4 ? '' : name.toString('latin1', 4, 4 + name.readUInt32BE(0));
}
