import type { Cursor } from "./cursor.js";
import { readDataType } from "./dataType.js";
import type { CallTail, Expression } from "./expression.js";
import { readCallTail } from "./readCallTail.js";
import { readExpression, readSum } from "./readExpression.js";

/**
 * Functions whose brackets hold words between the arguments, as the SQL/XML and SQL/JSON standards have it. PostgreSQL follows
 * the same standards, so the words are carried over and only the expressions between them are converted.
 */
const WORDED = new Set(
  `XMLELEMENT XMLFOREST XMLATTRIBUTES XMLPARSE XMLPI XMLROOT XMLSERIALIZE XMLAGG XMLEXISTS XMLQUERY XMLTABLE XMLCOLATTVAL XMLNAMESPACES
  JSON_OBJECT JSON_ARRAY JSON_OBJECTAGG JSON_ARRAYAGG JSON_VALUE JSON_QUERY JSON_EXISTS JSON_TABLE JSON_SERIALIZE JSON_SCALAR`.split(
    /\s+/,
  ),
);
const WORDS = new Set(
  `NAME AS KEY VALUE VALUES DOCUMENT CONTENT WELLFORMED VERSION STANDALONE NO YES PASSING BY REF COLUMNS PATH FOR ORDINALITY DEFAULT
  EVALNAME ENTITYESCAPING NOENTITYESCAPING RETURNING ON EMPTY ERROR NULL ABSENT FORMAT JSON WRAPPER WITH WITHOUT CONDITIONAL UNCONDITIONAL ARRAY UNIQUE KEYS
  STRICT NESTED EXISTS TRUE FALSE UNKNOWN PRETTY ASCII INDENT SIZE ORDER ASC DESC NULLS FIRST LAST ENCODING HIDE SHOW
  DEFAULTS SEQUENCE KEEP OMIT QUOTES OBJECT ALLOW DISALLOW SCALARS IS COLUMN IMPLICIT`.split(/\s+/),
);
const TYPES = new Set(
  `VARCHAR2 NVARCHAR2 VARCHAR CHAR NUMBER INTEGER INT DATE TIMESTAMP CLOB NCLOB BLOB XMLTYPE RAW FLOAT BINARY_DOUBLE BINARY_FLOAT BOOLEAN SDO_GEOMETRY`.split(
    /\s+/,
  ),
);

export function atWorded(cursor: Cursor): boolean {
  return WORDED.has(cursor.peek().text) && cursor.atAhead(1, "(");
}

export function readWorded(cursor: Cursor): Expression {
  const line = cursor.line;
  const callee: Expression = { kind: "name", parts: [cursor.name()], outer: false, line };
  const pieces = readPieces(cursor, callee.parts[0] ?? "");
  const tail: CallTail = { pieces };
  readCallTail(cursor, tail);
  return { kind: "call", callee, args: [], tail, outer: false, line };
}

function readPieces(cursor: Cursor, callee: string): (string | Expression)[] {
  cursor.expect("(");
  const pieces: (string | Expression)[] = [];
  // What XMLELEMENT and XMLPI name needs no word in Oracle.
  if (/^xml(element|pi)$/.test(callee) && !cursor.atAny("NAME", "EVALNAME") && cursor.atName()) pieces.push("NAME");
  let nameNext = pieces.length > 0;
  while (!cursor.accept(")")) {
    if (cursor.done) cursor.fail("a bracket is not closed");
    const text = cursor.peek().text;
    const isValue = cursor.peek().kind === "quoted" || cursor.atAhead(1, ".", "(") || nameNext;
    if (callee === "xmlserialize" && cursor.at("SIZE", "=")) {
      cursor.next();
      cursor.next();
      readExpression(cursor);
    } else if (
      callee.startsWith("json_object") &&
      cursor.at("KEY") &&
      !cursor.atAhead(1, "VALUE", "IS", ",", ")", ".", "(", ":")
    ) {
      // PostgreSQL leaves the word out, and has VALUE for IS.
      cursor.next();
      pieces.push(readSum(cursor));
      if (cursor.accept("IS")) pieces.push("VALUE");
    } else if (callee === "json_object" && cursor.peek().kind === "string" && isKeyAhead(cursor)) {
      const { line } = cursor.peek();
      pieces.push({ kind: "literal", type: "string", value: cursor.next().value, line }, "VALUE");
      cursor.next();
    } else if (nameNext && cursor.atName()) {
      pieces.push(`"${cursor.name()}"`);
      nameNext = false;
    } else if (cursor.accept(",")) {
      pieces.push(",");
      if (cursor.at("COLUMNS")) pieces.pop();
    } else if (text === "COLUMNS" && !cursor.atAhead(1, ".", ",", ")")) pieces.push("COLUMNS", ...readColumns(cursor));
    else if (cursor.peek().kind === "word" && WORDS.has(text) && !isValue) {
      pieces.push(text);
      // Whether the text is well formed is looked at anyway.
      if (text === "WELLFORMED") pieces.pop();
      nameNext = text === "NAME" || (text === "AS" && !TYPES.has(cursor.peek(1).text));
      cursor.next();
      if (text === "AS" && !nameNext) pieces.push(typePiece(cursor));
    } else if (TYPES.has(text) && pieces.at(-1) === "RETURNING") pieces.push(typePiece(cursor));
    else pieces.push(readExpression(cursor));
  }
  return pieces;
}

/** JSON_OBJECT('key' IS value) says the same as 'key' VALUE value. */
function isKeyAhead(cursor: Cursor): boolean {
  return cursor.atAhead(1, "IS") && !cursor.atAhead(2, "NULL", "NOT", "JSON");
}

/** Column name, type and path of XMLTABLE and JSON_TABLE. */
function readColumns(cursor: Cursor): (string | Expression)[] {
  cursor.expect("COLUMNS");
  return readColumnList(cursor);
}

function readColumnList(cursor: Cursor): (string | Expression)[] {
  const bracketed = cursor.accept("(");
  const pieces: (string | Expression)[] = bracketed ? ["("] : [];
  for (;;) {
    const isNested = cursor.at("NESTED") && (cursor.atAhead(1, "PATH") || cursor.peek(1).kind === "string");
    if (isNested) {
      cursor.next();
      cursor.accept("PATH");
      pieces.push("NESTED PATH", readExpression(cursor));
      cursor.expect("COLUMNS");
      pieces.push("COLUMNS", ...readColumnList(cursor));
    } else pieces.push(`"${cursor.name()}"`);
    if (isNested) {
      // A nested list of columns has nothing behind it.
    } else if (cursor.accept("FOR", "ORDINALITY")) pieces.push("FOR ORDINALITY");
    else {
      pieces.push(cursor.atAny("PATH", "EXISTS", ",", ")") ? "text" : typePiece(cursor));
      while (!cursor.atAny(",", ")")) pieces.push(cursor.peek().kind === "word" ? cursor.next().text : readExpression(cursor));
    }
    if (!cursor.accept(",")) break;
    pieces.push(",");
  }
  if (bracketed) {
    cursor.expect(")");
    pieces.push(")");
  }
  return pieces;
}

function typePiece(cursor: Cursor): Expression {
  const line = cursor.line;
  const type = readDataType(cursor);
  // A cast without a value stands for a bare type; the writer prints the type alone.
  return { kind: "cast", value: { kind: "star", of: [], line }, type, line };
}
