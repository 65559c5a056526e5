import type { Declarations } from "./declarations.js";

/** A table whose values Godwit can't read: its structure moves, its rows don't. */
export const PARCELS: Declarations = {
  tables: [
    {
      owner: "SHOP",
      name: "PARCELS",
      columns: [
        { name: "ID", type: "NUMBER(9,0)", notNull: true },
        { name: "ADDRESS", type: `"SHOP"."ADDRESS_T"` },
      ],
      primaryKey: ["ID"],
    },
  ],
};

/** A shop's schema with one of every kind of object that Godwit moves, as its author would have written it for Oracle. */
export const SHOP: Declarations = {
  sequences: [
    { owner: "SHOP", name: "ORDER_SEQ", last: 1041, increment: 1, cache: 20 },
    { owner: "SHOP", name: "COUNTDOWN", last: -7, increment: -1, min: "-100", max: "-1", cycle: true, cache: 0 },
  ],
  tables: [
    {
      owner: "SHOP",
      name: "CUSTOMERS",
      comment: "Who buys; it's about people",
      columns: [
        { name: "ID", type: "NUMBER(9,0)", notNull: true, identity: "BY DEFAULT" },
        { name: "NAME", type: "VARCHAR2(60 CHAR)", notNull: true, comment: "as on the letter box" },
        { name: "EMAIL", type: "VARCHAR2(120 BYTE)" },
        { name: "CODE", type: "CHAR(6 CHAR)", default: "'NEW'" },
        { name: "SINCE", type: "DATE", notNull: true, default: "SYSDATE" },
        { name: "SEEN", type: "TIMESTAMP(6) WITH TIME ZONE" },
        { name: "CREDIT", type: "NUMBER", default: "0" },
        { name: "FULL_NAME", type: "VARCHAR2(80 CHAR)", virtual: `UPPER("NAME")` },
      ],
      primaryKey: ["ID"],
      unique: [["EMAIL"]],
      checks: { CUSTOMER_CREDIT: "credit >= 0 AND credit < 1e6" },
      indexes: [
        { name: "CUSTOMER_NAME_IX", terms: [`UPPER("NAME")`] },
        { name: "CUSTOMER_SINCE_IX", terms: ["SINCE DESC", "NAME"] },
        // Of Oracle's two namespaces PostgreSQL makes one.
        { name: "ORDERS", terms: ["CODE"], type: "BITMAP" },
      ],
    },
    {
      owner: "SHOP",
      name: "ORDERS",
      columns: [
        { name: "ID", type: "NUMBER(12,0)", notNull: true, default: `"SHOP"."ORDER_SEQ"."NEXTVAL"` },
        { name: "CUSTOMER_ID", type: "NUMBER(9,0)", notNull: true },
        { name: "PLACED", type: "TIMESTAMP(6)", default: "SYSTIMESTAMP" },
        { name: "STATUS", type: "VARCHAR2(10 CHAR)", default: "'open'" },
        { name: "TOTAL", type: "NUMBER(12,2)" },
        { name: "PAID", type: "NUMBER(1,0)", default: "0" },
        { name: "TOOK", type: "INTERVAL DAY(2) TO SECOND(6)" },
        { name: "NOTE", type: "CLOB" },
      ],
      primaryKey: ["ID"],
      checks: { ORDER_STATUS: "status IN ('open', 'paid', 'sent')" },
      foreignKeys: [{ name: "ORDER_CUSTOMER", columns: ["CUSTOMER_ID"], table: "CUSTOMERS", onDelete: "CASCADE" }],
    },
    {
      owner: "SHOP",
      name: "EVENTS",
      columns: [
        { name: "AT", type: "DATE", notNull: true },
        { name: "WHAT", type: "VARCHAR2(40 BYTE)" },
        { name: "HOW MUCH", type: "FLOAT(126)" },
      ],
      partitioning: {
        type: "RANGE",
        columns: ["AT"],
        partitions: {
          P2024: "TO_DATE(' 2025-01-01 00:00:00', 'SYYYY-MM-DD HH24:MI:SS', 'NLS_CALENDAR=GREGORIAN')",
          PREST: "MAXVALUE",
        },
      },
    },
    {
      owner: "SHOP",
      name: "SCRATCH",
      temporary: "SYS$SESSION",
      columns: [{ name: "ID", type: "NUMBER(9,0)" }],
    },
  ],
  views: [
    {
      owner: "SHOP",
      name: "OPEN_ORDERS",
      columns: ["ID", "CUSTOMER"],
      query: "SELECT o.id, c.name FROM orders o, customers c WHERE o.customer_id = c.id(+) AND NVL(o.status, 'open') = 'open'",
      needs: ["SHOP.ORDERS", "SHOP.CUSTOMERS"],
    },
    {
      owner: "SHOP",
      name: "SALES_BY_DAY",
      columns: ["DAY", "AMOUNT"],
      query: "SELECT TRUNC(placed) day, SUM(total) amount FROM shop.orders GROUP BY TRUNC(placed)",
      materialized: true,
      needs: ["SHOP.ORDERS"],
    },
  ],
  synonyms: [
    { owner: "SHOP", name: "CLIENTS", of: "SHOP.CUSTOMERS" },
    { owner: "SHOP", name: "ELSEWHERE", of: "OTHER.THINGS", link: "FAR.AWAY" },
  ],
  sources: [
    {
      owner: "SHOP",
      name: "ADDRESS_T",
      type: "TYPE",
      text: "TYPE address_t AS OBJECT (street VARCHAR2(60), town VARCHAR2(40))",
    },
    {
      owner: "SHOP",
      name: "ORDER_COUNT",
      type: "FUNCTION",
      text: "FUNCTION order_count (p_customer IN customers.id%TYPE) RETURN NUMBER IS\n  n NUMBER;\nBEGIN\n  SELECT COUNT(*) INTO n FROM orders WHERE customer_id = p_customer;\n  RETURN n;\nEND order_count;\n",
      needs: ["SHOP.CUSTOMERS", "SHOP.ORDERS"],
    },
    {
      owner: "SHOP",
      name: "PAY",
      type: "PROCEDURE",
      text: "PROCEDURE pay (p_order IN NUMBER, p_amount IN NUMBER DEFAULT NULL) AS\nBEGIN\n  UPDATE orders SET status = 'paid', paid = 1, total = NVL(p_amount, total) WHERE id = p_order;\n  IF SQL%ROWCOUNT = 0 THEN\n    RAISE_APPLICATION_ERROR(-20001, 'no order ' || p_order);\n  END IF;\nEND;\n",
      needs: ["SHOP.ORDERS"],
    },
    {
      owner: "SHOP",
      name: "DESK",
      type: "PACKAGE",
      text: "PACKAGE desk AS\n  c_limit CONSTANT NUMBER := 500;\n  FUNCTION name_of (p_id NUMBER) RETURN VARCHAR2;\n  PROCEDURE place (p_customer NUMBER, p_total NUMBER);\nEND desk;\n",
    },
    {
      owner: "SHOP",
      name: "DESK",
      type: "PACKAGE BODY",
      text: "PACKAGE BODY desk AS\n  g_calls NUMBER := 0;\n  FUNCTION name_of (p_id NUMBER) RETURN VARCHAR2 IS\n    v customers.name%TYPE;\n  BEGIN\n    SELECT name INTO v FROM customers WHERE id = p_id;\n    RETURN v;\n  EXCEPTION WHEN NO_DATA_FOUND THEN RETURN NULL;\n  END;\n  PROCEDURE place (p_customer NUMBER, p_total NUMBER) IS\n  BEGIN\n    g_calls := g_calls + 1;\n    IF p_total > c_limit THEN RAISE_APPLICATION_ERROR(-20002, 'too much for ' || name_of(p_customer)); END IF;\n    INSERT INTO orders (id, customer_id, total) VALUES (order_seq.NEXTVAL, p_customer, p_total);\n  END;\nEND desk;\n",
      needs: ["SHOP.CUSTOMERS", "SHOP.ORDERS", "SHOP.ORDER_SEQ"],
    },
    {
      owner: "SHOP",
      name: "ORDERS_CHECK",
      type: "TRIGGER",
      on: "ORDERS",
      text: "TRIGGER orders_check\nBEFORE INSERT OR UPDATE OF total ON orders\nFOR EACH ROW\nBEGIN\n  IF :NEW.total < 0 THEN\n    RAISE_APPLICATION_ERROR(-20003, 'total of ' || :NEW.id);\n  END IF;\n  :NEW.placed := NVL(:NEW.placed, SYSTIMESTAMP);\nEND;\n",
      needs: ["SHOP.ORDERS"],
    },
    {
      owner: "SHOP",
      name: "ORDERS_OFF",
      type: "TRIGGER",
      on: "ORDERS",
      disabled: true,
      text: "TRIGGER orders_off AFTER DELETE ON orders BEGIN INSERT INTO events (at, what) VALUES (SYSDATE, 'deleted'); END;\n",
      needs: ["SHOP.ORDERS", "SHOP.EVENTS"],
    },
  ],
  others: [{ owner: "SHOP", name: "FAR.AWAY", type: "DATABASE LINK" }],
};
