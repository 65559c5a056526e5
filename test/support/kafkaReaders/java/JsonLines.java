import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads records, each behind its length (4 bytes, big endian), and prints what a reader makes of each as a line of JSON. */
final class JsonLines {
    interface Reader {
        Object read(byte[] record) throws Exception;
    }

    private JsonLines() {}

    /** A record that cannot be read becomes {"error": ...}; the others go on. */
    static void run(Reader reader) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        while (true) {
            byte[] record;
            try {
                record = new byte[in.readInt()];
            } catch (EOFException end) {
                break;
            }
            in.readFully(record);
            Object result;
            try {
                result = reader.read(record);
            } catch (Throwable cause) {
                Throwable root = cause;
                while (root.getCause() != null) root = root.getCause();
                result = object("error", String.valueOf(root));
            }
            out.println(json(result));
        }
        out.flush();
    }

    static Map<String, Object> object(Object... namesAndValues) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int at = 0; at < namesAndValues.length; at += 2) object.put((String) namesAndValues[at], namesAndValues[at + 1]);
        return object;
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder(2 + 2 * bytes.length).append("0x");
        for (byte value : bytes) text.append(Character.forDigit((value >> 4) & 15, 16)).append(Character.forDigit(value & 15, 16));
        return text.toString();
    }

    /** Maps, lists, numbers, booleans and null as JSON has them; anything else as a string. */
    private static String json(Object value) {
        StringBuilder text = new StringBuilder();
        write(text, value);
        return text.toString();
    }

    private static void write(StringBuilder text, Object value) {
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long) {
            text.append(value);
        } else if (value instanceof Map) {
            text.append('{');
            Iterator<? extends Map.Entry<?, ?>> entries = ((Map<?, ?>) value).entrySet().iterator();
            while (entries.hasNext()) {
                Map.Entry<?, ?> entry = entries.next();
                quote(text, String.valueOf(entry.getKey()));
                text.append(':');
                write(text, entry.getValue());
                if (entries.hasNext()) text.append(',');
            }
            text.append('}');
        } else if (value instanceof Iterable) {
            text.append('[');
            Iterator<?> items = ((Iterable<?>) value).iterator();
            while (items.hasNext()) {
                write(text, items.next());
                if (items.hasNext()) text.append(',');
            }
            text.append(']');
        } else {
            quote(text, String.valueOf(value));
        }
    }

    private static void quote(StringBuilder text, String value) {
        text.append('"');
        for (int at = 0; at < value.length(); at++) {
            char unit = value.charAt(at);
            if (unit == '"' || unit == '\\') text.append('\\').append(unit);
            else if (unit < 0x20) text.append(String.format("\\u%04x", (int) unit));
            else text.append(unit);
        }
        text.append('"');
    }
}
