/** Makes the owner somebody of less, who operates nothing: the table is told. SQLite only. */

import { join } from 'node:path';
import { run, type Server } from './installation';

export async function becomes(server: Server, role: 'owner' | 'admin' | 'developer' | 'security' | 'support'): Promise<void> {
  const script = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10); db.execute("UPDATE members SET role = ?", (sys.argv[2],)); db.execute("UPDATE users SET platform_admin = 0"); db.commit()';
  const ran = await run('python3', ['-c', script, join(server.installation.dir, 'keystead.db'), role]);
  if (ran.code !== 0) throw new Error(ran.stderr);
}
