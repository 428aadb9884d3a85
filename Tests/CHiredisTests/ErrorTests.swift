import CHiredis
import Testing

@Suite("Classifying error lines")
struct ErrorTests {
    private static let script = " script: 0a9f75e991483d02789696e4c90d26c10395863e, on @user_script:1."

    /// Lines as redis-server 7.0.15 wrote them, unless said otherwise.
    static let lines: [(String, hg_error_kind)] = [
        ("NOSCRIPT No matching script. Please use EVAL.", HG_ERROR_NOSCRIPT),
        ("MOVED 3999 127.0.0.1:6381", HG_ERROR_MOVED),
        ("ASK 3999 127.0.0.1:6381", HG_ERROR_ASK),
        ("TRYAGAIN Multiple keys request during rehashing of slot", HG_ERROR_TRYAGAIN),
        ("CLUSTERDOWN Hash slot not served", HG_ERROR_CLUSTERDOWN),
        ("CROSSSLOT Keys in request don't hash to the same slot", HG_ERROR_CROSSSLOT),
        ("ERR Script attempted to access a non local key in a cluster node" + script, HG_ERROR_CROSSSLOT),
        ("ERR Script attempted to access keys that do not hash to the same slot" + script, HG_ERROR_CROSSSLOT),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", HG_ERROR_MASTERDOWN),
        ("LOADING Redis is loading the dataset in memory", HG_ERROR_LOADING),
        ("READONLY You can't write against a read only replica.", HG_ERROR_READONLY),
        ("READONLY You can't write against a read only replica." + script, HG_ERROR_READONLY),
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", HG_ERROR_BUSY),
        ("NOAUTH Authentication required.", HG_ERROR_NOAUTH),
        ("WRONGPASS invalid username-password pair or user is disabled.", HG_ERROR_WRONGPASS),
        ("NOPERM this user has no permissions to run the 'set' command", HG_ERROR_NOPERM),
        ("NOPERM this user has no permissions to access one of the keys used as arguments", HG_ERROR_NOPERM),
        ("ERR The user executing the script can't run this command or subcommand" + script, HG_ERROR_NOPERM),
        (
            "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments" + script,
            HG_ERROR_NOPERM
        ),
        // Redis 7.2 and later
        ("ERR ACL failure in script: User lim has no permissions to run the 'set' command" + script, HG_ERROR_NOPERM),
        ("NOREPLICAS Not enough good replicas to write.", HG_ERROR_NOREPLICAS),
        ("NOREPLICAS Not enough good replicas to write." + script, HG_ERROR_NOREPLICAS),
        (
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
            HG_ERROR_MISCONF
        ),
        ("OOM command not allowed when used memory > 'maxmemory'.", HG_ERROR_OOM),
        ("OOM command not allowed when used memory > 'maxmemory'." + script, HG_ERROR_OOM),
        ("ERR max number of clients reached", HG_ERROR_MAXCLIENTS),
        ("ERR max number of clients + cluster connections reached", HG_ERROR_MAXCLIENTS),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", HG_ERROR_WRONGTYPE),
        ("WRONGTYPE Operation against a key holding the wrong kind of value" + script, HG_ERROR_WRONGTYPE),
        ("ERR user_script:1: attempt to index local 'x' (a nil value)" + script, HG_ERROR_SCRIPT),
        ("ERR user_script:1: boom" + script, HG_ERROR_SCRIPT),
        ("ERR Unknown Redis command called from script" + script, HG_ERROR_SCRIPT),
        ("ERR Wrong number of args calling Redis command from script" + script, HG_ERROR_SCRIPT),
        ("ERR value is not an integer or out of range" + script, HG_ERROR_SCRIPT),
        ("MYKIND raised by the script" + script, HG_ERROR_SCRIPT),
        // Redis 6.2
        ("ERR Error running script (call to f_0a9f75e9): @user_script:1: WRONGTYPE Operation against a key", HG_ERROR_SCRIPT),
        ("ERR Error compiling script (new function): user_script:1: '=' expected near 'error'", HG_ERROR_OTHER),
        ("ERR unknown command 'NOPE', with args beginning with: 'a' 'b' ", HG_ERROR_OTHER),
        ("ERR wrong number of arguments for 'get' command", HG_ERROR_OTHER),
        ("NOTBUSY No scripts in execution right now.", HG_ERROR_OTHER),
        ("My own failure", HG_ERROR_OTHER),
        ("", HG_ERROR_OTHER),
        ("ERR", HG_ERROR_OTHER),
    ]

    /// The kind of an error line.
    private func classify(_ text: String) -> hg_error_kind {
        let bytes = text.utf8.map(CChar.init(bitPattern:))
        return unsafe hg_error_classify(bytes, bytes.count)
    }

    @Test("A line has the kind that its text says", arguments: lines)
    func kinds(text: String, kind: hg_error_kind) {
        #expect(classify(text) == kind)
    }

    @Test(
        "Only a whole first word counts",
        arguments: [
            "BUSYKEY Target key name already exists.", "ASKING", "oom", " OOM", "OOM:", "READONLYX", "LOADIN", "ERR OOM", "MOVED\t1",
        ]
    )
    func wholeWords(text: String) {
        #expect(classify(text) == HG_ERROR_OTHER)
    }

    @Test("A word alone is enough", arguments: [("OOM", HG_ERROR_OOM), ("BUSY", HG_ERROR_BUSY), ("READONLY ", HG_ERROR_READONLY)])
    func wordAlone(text: String, kind: hg_error_kind) {
        #expect(classify(text) == kind)
    }

    @Test("Nothing behind the given length is read")
    func length() {
        let bytes = Array("OOM command".utf8).map(CChar.init(bitPattern:))
        #expect(unsafe hg_error_classify(bytes, 2) == HG_ERROR_OTHER)
        #expect(unsafe hg_error_classify(bytes, 3) == HG_ERROR_OOM)
        #expect(unsafe hg_error_classify(bytes, 0) == HG_ERROR_OTHER)
        #expect(hg_error_classify(nil, 0) == HG_ERROR_OTHER)
    }
}
