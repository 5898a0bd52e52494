"""A Modbus TCP PLC on pymodbus 3.16, for tests/counterparts.rs.

    pymodbus_plc.py PORT

Listens on 127.0.0.1, on a free port if PORT is 0, and prints the port. Units 1 and 2 hold the same:
coils and discrete inputs 0 to 31, holding and input registers 0 to 99. Each line on standard input,
`UNIT FUNCTION ADDRESS VALUE`, sets one register. Ends when standard input does.
"""

import asyncio
import socket
import struct
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def holding_registers():
    registers = list(range(100))
    registers[20:22] = struct.unpack(">2H", struct.pack(">f", 1.5))
    # Low word first.
    registers[30:34] = reversed(struct.unpack(">4H", struct.pack(">q", -2)))
    registers[40:43] = struct.unpack(">3H", b"Pump 1")
    return registers


def unit(number):
    inputs = [1000 + address for address in range(100)]
    bits = [address % 2 == 1 for address in range(32)]
    return SimDevice(
        id=number,
        simdata=(
            [SimData(0, values=bits, datatype=DataType.BITS)],
            [SimData(0, values=bits, datatype=DataType.BITS)],
            [SimData(0, values=holding_registers(), datatype=DataType.REGISTERS)],
            [SimData(0, values=inputs, datatype=DataType.REGISTERS)],
        ),
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def take_orders(server):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        number, function, address, value = (int(word) for word in line.split())
        await server.async_setValues(number, function, address, [value])


async def main():
    port = int(sys.argv[1]) or free_port()
    server = ModbusTcpServer([unit(1), unit(2)], address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    print(port, flush=True)
    await take_orders(server)


asyncio.run(main())
