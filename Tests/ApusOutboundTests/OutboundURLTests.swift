import NIOCore
import Testing

@testable import ApusOutbound

@Suite("Where requests of ours go")
struct OutboundURLTests {
    @Test(
        "URLs that mean one thing",
        arguments: [
            ("https://accounts.example.com", "accounts.example.com", 443, "/"),
            ("HTTPS://Accounts.Example.COM:8443/a?b=c", "accounts.example.com", 8443, "/a?b=c"),
            ("http://127.0.0.1:9400/x", "127.0.0.1", 9400, "/x"),
            ("https://[2001:DB8::1]/x", "2001:db8::1", 443, "/x"),
            ("https://example.com?x=1", "example.com", 443, "/?x=1"),
        ])
    func good(_ text: String, _ host: String, _ port: Int, _ target: String) throws {
        let url = try #require(OutboundURL(text))
        #expect(url.host == host && url.port == port && url.target == target)
    }

    @Test(
        "URLs that mean two things, or nothing",
        arguments: [
            "", "example.com", "ftp://example.com", "https://", "https:///x",
            "https://good.example@evil.example",
            "https://good.example\\@evil.example", "https://example.com#x", "https://example.com\r\nX: y",
            "https://exa mple.com", "https://2130706433", "https://0x7f.0.0.1", "https://0177.0.0.1",
            "https://127.1",
            "https://127.0.0.1.", "https://256.1.1.1", "https://exämple.com", "https://example.com:0",
            "https://example.com:99999",
            "https://example.com:+1", "https://[::1", "https://[fe80::1%25eth0]/", "file:///etc/passwd",
            "https://a..b",
        ])
    func bad(_ text: String) { #expect(OutboundURL(text) == nil) }

    @Test(
        "Addresses of the machine, its network and clouds' metadata are closed",
        arguments: [
            "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255",
            "::1", "::",
            "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1", "fc00::1",
            "fd00:ec2::254", "ff02::1",
            "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:1::1", "2001:db8::1", "3fff::1",
        ])
    func closed(_ text: String) throws {
        #expect(!AddressGuard.isPublic(try SocketAddress(ipAddress: text, port: 443)))
    }

    @Test(
        "Public addresses are open",
        arguments: [
            "93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1",
            "2a00:1450:4001::1",
        ])
    func open(_ text: String) throws {
        #expect(AddressGuard.isPublic(try SocketAddress(ipAddress: text, port: 443)))
    }
}
