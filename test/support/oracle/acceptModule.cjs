// GODWIT_ORACLE_DRIVER of the command's process in tests. What it starts loads the emulator itself.
const { join } = require("node:path");

require("tsx/cjs/api").register();
process.env.GODWIT_ORACLE_DRIVER = join(__dirname, "emulatorModule.cjs");
module.exports = { oracleDriver: require(join(__dirname, "acceptDriver.ts")).oracleDriver };
